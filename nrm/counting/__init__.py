"""How cases are counted: data_dictionary.md, sections 3 and 4, as plain functions over compact rows, without the database.

`facts` are the rows as they were recorded; `episodes` applies the as-of date and the merges and gives persons with their
episodes; `populations` says who belongs to a population and on which day by a date rule; `dimensions` what stands in the
columns; `table` counts cells and margins. `nrm.queries.counting` loads the rows, one query a table. What the dictionary
leaves open is decided in docs/adr/0024-counting.md.
"""
