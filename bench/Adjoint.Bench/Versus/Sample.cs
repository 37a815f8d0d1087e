namespace Adjoint.Bench;

/// <summary>Milliseconds per repetition, where the threads ran, and what the machine gave beside the sample.</summary>
internal sealed record Sample(string Side, int Threads, double Ms, Cores Cores, Reading Machine);
