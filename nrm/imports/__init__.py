"""Files of cases: how a row is read and what is wrong with it (data_dictionary.md, section 4), without the database.

`dates` and `words` read single cells, `reading` the file row by row, `checking` what does not fit together. What is good is
written by `nrm.actions.imports`, all of it or nothing. No message repeats what stood in a cell: a file with its columns
shifted may hold a name there.
"""
