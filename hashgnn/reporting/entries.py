"""Name the function that draws each figure and makes each table, without importing it.

The workflow plans from these names: what it imports at its start stays small, and an edit reruns
only the figures and tables whose functions it reaches.
"""

_FIGURES = "hashgnn.reporting.figures"
_TABLES = "hashgnn.reporting.tables"

FIGURES = {name: f"{_FIGURES}.{name}" for name in ("fig1", "fig3", "fig4", "fig5", "fig6", "fig7")}
TABLES = {
    name: f"{_TABLES}.{name}"
    for name in ("table1", "table2", "table3", "table4", "methods", "anchors")
}
