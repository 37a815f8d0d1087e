using System.Globalization;

namespace Adjoint.Bench;

/// <summary>What <c>versus</c> is asked to do.</summary>
internal sealed record VersusOptions
{
    internal const string Usage = """
        versus: ours against libtorch, OpenBLAS (matrix products) and ONNX Runtime (inference), sample by sample in turn

          --only A,B            workloads whose names begin so
          --rounds N            samples of each side, on one thread and on two (15; of long work 3)
          --until-apart [S]     then go on until N samples of each side on two threads had two cores; at most S seconds
                                more a workload (60)
          --against FOLDER      also another build of this benchmark, as "before": see bench/against
          --alone               without the other libraries
          --torch FOLDER        where Adjoint.Bench.Torch was built, if not in this repository
          --onnx FOLDER         where Adjoint.Bench.Onnx was built, if not in this repository
          --json                JSON instead of a table
          --results [FOLDER]    also write table and JSON there (bench/results/<cpu>)
          --name NAME           their name (versus)
        """;

    internal string[]? Only { get; init; }

    internal int Rounds { get; init; } = 15;

    /// <summary>Seconds a workload, or null.</summary>
    internal double? UntilApart { get; init; }

    internal string? Against { get; init; }

    internal bool Alone { get; init; }

    internal string? Torch { get; init; }

    internal string? Onnx { get; init; }

    internal bool Json { get; init; }

    internal bool Results { get; init; }

    internal string? Folder { get; init; }

    internal string Name { get; init; } = "versus";

    /// <exception cref="ArgumentException">An option is unknown, or its value is missing or senseless.</exception>
    internal static VersusOptions Parse(IReadOnlyList<string> args)
    {
        var (options, at) = (new VersusOptions(), 0);
        string? Optional() =>
            at < args.Count && !args[at].StartsWith("--", StringComparison.Ordinal) ? args[at++] : null;
        string Value(string name) => Optional() ?? throw new ArgumentException($"{name} needs a value");
        double Number(string name, string text) =>
            double.TryParse(text, CultureInfo.InvariantCulture, out var number) && number is > 0 and <= 1e6
                ? number : throw new ArgumentException($"{name}: a number above 0 is needed, found '{text}'");
        while (at < args.Count)
        {
            var name = args[at++];
            options = name switch
            {
                "--only" => options with { Only = Value(name).Split(',', StringSplitOptions.RemoveEmptyEntries) },
                "--rounds" => options with { Rounds = (int)Math.Ceiling(Number(name, Value(name))) },
                "--until-apart" => options with { UntilApart = Number(name, Optional() ?? "60") },
                "--against" => options with { Against = Value(name) },
                "--alone" => options with { Alone = true },
                "--torch" => options with { Torch = Value(name) },
                "--onnx" => options with { Onnx = Value(name) },
                "--json" => options with { Json = true },
                "--results" => options with { Results = true, Folder = Optional() },
                "--name" => options with { Name = Value(name) },
                _ => throw new ArgumentException($"there is no option '{name}'"),
            };
        }
        return options;
    }
}
