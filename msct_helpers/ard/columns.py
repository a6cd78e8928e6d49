"""Names and meaning of the columns of the published results; imports nothing, for fast builds."""

PUBLISHED = {
    "id": ("id", "Id of the result, unique in the book"),
    "chapter": ("chapter", "Chapter that computed it"),
    "analysis": ("analysisId", "Analysis, as `Analysis.id`"),
    "parameter": ("PARAMCD", "Parameter or characteristic analysed (grouping variable of ADaM)"),
    "visit": ("AVISITN", "Visit, in months or weeks as planned (grouping variable of ADaM)"),
    "group": ("resultGroup", "Group or level, as `OperationResult.resultGroups`"),
    "statistic": ("operationId", "Statistic, as `OperationResult.operationId`"),
    "value": ("rawValue", "Value, unrounded, as `OperationResult.rawValue`"),
    "text": ("formattedValue", "Text shown, as `OperationResult.formattedValue`"),
    "unit": ("unit", "Unit of the value"),
    "n": ("n", "Participants behind it"),
    "method": ("method", "How it was computed, as `AnalysisMethod.description`"),
    "function": ("function", "Function that computed it, in `msct_helpers`"),
    "origin": ("origin", "What it rests on: synthetic or real data, published, or assumed"),
    "shown": (
        "shownIn",
        "Where it is shown: prose (prose:x, of chapter x), or the name of a table or figure",
    ),
}
"""Column of the record: its published name and meaning. Names in code are those of the CDISC
Analysis Results Standard; a flat table cannot hold its nested groups, so parameter, visit and group
have a column each."""

PROSE = "prose"
"""Where a number is shown that stands in no table or figure."""
