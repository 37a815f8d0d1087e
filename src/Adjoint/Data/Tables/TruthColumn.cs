namespace Adjoint.Data.Tables;

/// <summary>A column of truth values, with the two words that stand for them.</summary>
public sealed class TruthColumn : Column
{
    private readonly sbyte[] values;

    /// <summary>Creates a column of truth values.</summary>
    /// <param name="name">The name of the column.</param>
    /// <param name="values">The values, which the column keeps: 1 for true, 0 for false, −1 where one is
    /// missing.</param>
    /// <param name="falseWord">The word for false, such as "no".</param>
    /// <param name="trueWord">The word for true, such as "yes".</param>
    public TruthColumn(string name, sbyte[] values, string falseWord = "false", string trueWord = "true")
        : base(name, values.Length, values.Count(value => value < 0)) =>
        (this.values, FalseWord, TrueWord) = (values, falseWord, trueWord);

    /// <inheritdoc/>
    public override ColumnKind Kind => MissingCount == Count ? ColumnKind.Empty : ColumnKind.Truth;

    /// <summary>The values: 1 for true, 0 for false, −1 where one is missing.</summary>
    public ReadOnlySpan<sbyte> Values => values;

    /// <summary>The word for false, as the file writes it.</summary>
    public string FalseWord { get; }

    /// <summary>The word for true, as the file writes it.</summary>
    public string TrueWord { get; }

    /// <inheritdoc/>
    public override bool IsMissing(int row) => values[row] < 0;

    /// <inheritdoc/>
    public override string? Text(int row) => values[row] < 0 ? null : values[row] == 0 ? FalseWord : TrueWord;

    /// <inheritdoc/>
    public override Column Rename(string name) => new TruthColumn(name, values, FalseWord, TrueWord);

    /// <inheritdoc/>
    public override Column Take(ReadOnlySpan<int> rows) =>
        new TruthColumn(Name, Pick(values, rows), FalseWord, TrueWord);
}
