using System.Globalization;

namespace Adjoint;

/// <summary>How the calls of a captured function were computed.</summary>
/// <param name="Replayed">Calls that replayed a plan.</param>
/// <param name="Recorded">Calls that were recorded, which computes, too.</param>
/// <param name="Eager">
/// Calls that ran the function itself: the first of each shape, and those that were refused.
/// </param>
/// <param name="Plans">The number of plans that are kept.</param>
/// <param name="Operations">The number of operations in a replay of the plan used last.</param>
/// <param name="PlannedBytes">The bytes of the buffers that the plans own.</param>
/// <param name="Refusal">Why the function runs eagerly, for good or with the last inputs; else null.</param>
public sealed record CaptureReport(
    long Replayed, long Recorded, long Eager, int Plans, int Operations, long PlannedBytes, string? Refusal)
{
    /// <summary>One line: that the function was captured and how much of it, or that it was not and why.</summary>
    /// <returns>The line, for people.</returns>
    public override string ToString()
    {
        if (Plans == 0) return $"eager: {Refusal ?? "no shape came twice"}";
        var (all, plans) = (Replayed + Recorded + Eager, Plans == 1 ? "a plan" : $"{Plans} plans");
        var counts = string.Create(CultureInfo.InvariantCulture,
            $"captured: {Replayed:N0} of {all:N0} calls replayed {plans} of {Operations} operations");
        var megabytes = (PlannedBytes / 1e6).ToString(PlannedBytes < 1_000_000 ? "0.000" : "0.0",
            CultureInfo.InvariantCulture);
        return $"{counts}, in {megabytes} MB{(Refusal is null ? "" : $"; the last call was eager: {Refusal}")}";
    }
}
