using static System.FormattableString;

namespace Adjoint.Tests.Cli;

/// <summary>A folder of runs as files, written without a trainer.</summary>
internal sealed class WrittenRuns : IDisposable
{
    internal string Folder { get; } = Directory.CreateTempSubdirectory("adjoint-").FullName;

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>Writes a run: lines of metrics.jsonl, and settings.json unless there are none.</summary>
    internal string Add(string name, string? settings, params string[] metrics)
    {
        var path = Path.Combine(Folder, name);
        Directory.CreateDirectory(path);
        if (settings is not null) File.WriteAllText(Path.Combine(path, "settings.json"), settings);
        if (metrics.Length > 0)
            File.WriteAllText(Path.Combine(path, "metrics.jsonl"), string.Join('\n', metrics) + "\n");
        return path;
    }

    /// <summary>A complete run of a classifier, with lines as version 0.1 wrote them.</summary>
    internal string AddClassifier(string name, string model, string lr, params double[] accuracies)
    {
        var path = Add(name, $$"""
            { "dataset": "synth", "model": "{{model}}", "lr": "{{lr}}", "epochs": "{{accuracies.Length - 1}}",
              "version": "0.1.0" }
            """, [.. accuracies.Select(Old)]);
        File.WriteAllText(Path.Combine(path, "report.html"), "");
        return path;
    }

    /// <summary>A complete run of a regression, with lines that hold metrics.</summary>
    internal string AddRegression(string name, params double[] r2)
    {
        var path = Add(name, """{ "data": "/home/me/houses.csv", "model": "mlp", "task": "regression" }""",
            [.. r2.Select((value, epoch) => Losses(epoch, value, "null")
                + Invariant($",\"seconds\":1.5,\"metrics\":{{\"r2\":{value},\"mae\":{100 - 10 * value}}}}}"))]);
        File.WriteAllText(Path.Combine(path, "report.html"), "");
        return path;
    }

    private static string Old(double accuracy, int epoch) =>
        Losses(epoch, accuracy, Invariant($"{accuracy}")) + ",\"seconds\":2}";

    private static string Losses(int epoch, double score, string accuracy) =>
        Invariant($"{{\"epoch\":{epoch},\"trainLoss\":{(epoch == 0 ? "null" : "0.25")},")
        + Invariant($"\"validationLoss\":{1 - score},\"validationAccuracy\":{accuracy}");
}
