"""The label store: answers, claims and what was paid, in one SQLite file.

`store` has the transactions. Each is made of statements on the tables: `answers`,
`claims`, `account` and `events`. `connection` opens the file, `file` says whether it
can be used and what is wrong with it, and `schema` makes the tables and updates those
of older versions.
"""
