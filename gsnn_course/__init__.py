"""The course kit: from an assignment's source to what pupils get, and from what they hand in to a gradebook.

Submissions are code, and grading runs it: in namespaces where the system has them, else with all that your account
may read, write and reach (``sandbox.describe`` says which). Then grade in a container, without secrets and network.

``release`` and ``seeds`` make the pupils' notebooks. ``grade`` marks a class: ``arrivals``, ``roster`` and ``intake``
read what was handed in, ``running`` and ``execution`` run it in ``kernels`` that only compute, ``comparing`` judges in
a process that never ran a pupil's code, and ``nbgrader_course`` is the part that nbgrader does, when all has been
run. ``report`` writes what comes out.
"""
