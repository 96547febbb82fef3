"""The course kit: from an assignment's source to pupils' notebooks, and from their submissions to a gradebook.

Submissions are code, and grading runs it: in namespaces where the system has them, else with all that your account
may read, write and reach (``sandbox.describe`` says which). Then grade in a container, without secrets and network.

``release`` makes the pupils' notebooks. ``grade`` marks a class: ``arrivals``, ``roster`` and ``intake``
read submissions, ``running`` and ``execution`` run them in ``kernels`` that only compute, ``comparing`` judges in
a process that never ran a pupil's code, and ``nbgrader_course`` is the part that nbgrader does, when all has been
run. ``report`` writes tables and feedback.

``publishing`` brings the kit to its readers, and ``command_line`` has the commands of both.
"""
