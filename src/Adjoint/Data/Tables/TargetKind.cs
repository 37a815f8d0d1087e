namespace Adjoint.Data.Tables;

/// <summary>What a network learns of the target columns of a table.</summary>
public enum TargetKind
{
    /// <summary>A number, or one of each target column: targets float32, (n) or (n, k).</summary>
    Regression,

    /// <summary>One class for each row: targets int64, (n).</summary>
    Classes,

    /// <summary>A truth value of each target column: targets float32, (n, k), of 0 and 1.</summary>
    MultiLabel,
}
