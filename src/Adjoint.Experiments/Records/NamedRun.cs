namespace Adjoint.Experiments;

/// <summary>A run under the name by which it is shown beside others.</summary>
/// <param name="Name">The name of the run, such as that of its folder.</param>
/// <param name="Run">What the folder of the run tells.</param>
public sealed record NamedRun(string Name, RecordedRun Run);
