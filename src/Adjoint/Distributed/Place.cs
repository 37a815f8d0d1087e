namespace Adjoint.Distributed;

/// <summary>Where a rank is in the program.</summary>
/// <param name="Call">The call that it is in; empty: none.</param>
/// <param name="Step">The step.</param>
/// <param name="Seconds">For how long it has been in the call.</param>
internal readonly record struct Place(string Call, int Step, double Seconds)
{
    public override string ToString() =>
        Call.Length == 0 ? $"between calls at step {Step}" : $"in {Call} of step {Step}";
}
