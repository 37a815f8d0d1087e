namespace Adjoint.Fuzz;

/// <summary>Something that random input is tried on. An execution that throws is a finding.</summary>
/// <param name="Name">On the command line.</param>
/// <param name="Run">One execution.</param>
internal sealed record FuzzTarget(string Name, Action<FuzzRandom> Run)
{
    internal static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("programs", RandomProgram.Run),
        new("captured", CapturedProgram.Run),
        new("calls", RandomCall.Run),
        .. Readers.Targets,
    ];
}

/// <summary>Something is wrong with the library; the message says what.</summary>
internal sealed class FindingException(string message) : Exception(message);
