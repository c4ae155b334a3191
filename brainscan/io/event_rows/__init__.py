"""The rows of the table of event formats, by family; `brainscan.io.event_formats` puts them into one.

A family is a module that ends in a tuple of rows. Nothing here is imported but what tells formats apart: readers and
writers come with the first file that needs them (`brainscan.io.later`).
"""
