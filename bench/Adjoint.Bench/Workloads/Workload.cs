namespace Adjoint.Bench;

/// <summary>A piece of work that all sides do.</summary>
/// <param name="Name">What it is called; behind a + how ours does it, which the others need not know.</param>
/// <param name="Goal">How many times faster than libtorch it is to be.</param>
/// <param name="Flops">Floating-point operations of one repetition, or 0 where bytes are the limit.</param>
/// <param name="Bytes">Bytes that one repetition must read and write at the least, or 0.</param>
/// <param name="Create">Sets up; the action is one repetition.</param>
internal sealed record Workload(string Name, double Goal, double Flops, double Bytes, Func<Action> Create);
