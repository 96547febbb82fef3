"""The course kit: from an assignment's source to what pupils get, and from what they hand in to a gradebook.

Submissions are code, and grading runs it, with everything that you may read, write and reach. Grade in a
container or under a throw-away account, without secrets and without a network.

``release`` makes the pupils' notebooks, ``grade`` marks a class: ``intake`` reads what was handed in, ``execution``
runs it in bounded time, and ``nbgrader_course`` is the part that nbgrader does.
"""
