CREATE MATERIALIZED VIEW answer AS SELECT f.id, f.name, d.label FROM facts f JOIN dims d ON f.k = d.k
