"""The label store: answers, claims, payments and logs in one SQLite file.

`store` has the transactions. They call functions on the tables, which are in `answers`,
`claims`, `account`, `events` and `log`. `connection` opens the file, `file` checks
whether it can be used, and `schema` creates the tables and migrates those of older
versions. `damage` has checksums, and `processes` tells whether the owner of a claim
lives.
"""
