"""Grading of submissions: the learner's code in a sandbox, the verdict outside of it.

border, served     the two sides of the border between judge and learner
codec              wire, writer, reader: values as data, nothing is unpickled
"""

__all__: list[str] = []
