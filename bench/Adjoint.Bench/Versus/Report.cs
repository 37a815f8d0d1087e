namespace Adjoint.Bench;

/// <summary>What a run of <c>versus</c> found, and on what.</summary>
internal sealed record Report(string Date, string Command, Processor Processor, MachineFacts Machine,
    IReadOnlyList<Library> Sides, IReadOnlyList<Row> Rows);

/// <summary>A side's name, and the library's version.</summary>
internal sealed record Library(string Name, string Version);
