using System.Globalization;
using System.Text;
using System.Text.Json;
using Adjoint.Experiments;
using Adjoint.Training;

namespace Adjoint.Cli;

/// <summary>Runs as JSON, for <c>--json</c> and for pages.</summary>
internal static class RunJson
{
    /// <summary>What a writer writes, as a text.</summary>
    internal static string Text(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer)) write(json);
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Writes a run without its epochs as an object that stays open.</summary>
    internal static void Begin(Utf8JsonWriter json, ListedRun run)
    {
        json.WriteStartObject();
        json.WriteString("name", run.Name);
        json.WriteString("runDirectory", run.Folder);
        json.WriteString("state", run.State);
        if (run.Record is not { } record)
        {
            json.WriteString("problem", run.Problem);
            return;
        }
        if (record.Problem is not null) json.WriteString("problem", record.Problem);
        json.WriteString("when", record.Began?.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture));
        json.WriteString("task", RunColumn.Task.Text(run));
        Number(json, "epochs", record.Metrics.LastEpoch);
        Number(json, "epochsAsked", record.EpochsAsked);
        json.WriteNumber("seconds", record.Metrics.Seconds);
        json.WriteString("metric", record.Score);
        Measured(json, "best", record.Best);
        Measured(json, "final", record.Metrics.Final(record.Score));
        json.WriteStartObject("settings");
        foreach (var (name, value) in record.Settings) json.WriteString(name, value);
        json.WriteEndObject();
        if (record.Metrics.Test.Count == 0) return;
        json.WriteStartObject("test");
        foreach (var (name, value) in record.Metrics.Test) json.WriteNumber(name, value);
        json.WriteEndObject();
    }

    /// <summary>Writes the best and the final value of each measure.</summary>
    internal static void Values(Utf8JsonWriter json, RunMetrics metrics)
    {
        json.WriteStartObject("metrics");
        foreach (var name in metrics.Names)
        {
            json.WriteStartObject(name);
            Measured(json, "best", metrics.Best(name));
            Measured(json, "final", metrics.Final(name));
            json.WriteEndObject();
        }
        json.WriteEndObject();
    }

    /// <summary>Writes the measures of a run: for each its epochs and values, of which there may be gaps.</summary>
    internal static void Curves(Utf8JsonWriter json, RunMetrics metrics)
    {
        json.WriteStartObject("curves");
        foreach (var name in metrics.Names)
        {
            json.WriteStartArray(name);
            foreach (var (epoch, value) in metrics.Of(name))
            {
                json.WriteStartArray();
                json.WriteNumberValue(epoch);
                json.WriteNumberValue(value);
                json.WriteEndArray();
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
    }

    /// <summary>Writes what the ranks did in their last epoch; nothing for a run of one process.</summary>
    internal static void Ranks(Utf8JsonWriter json, RankEpochs? ranks)
    {
        if (ranks is not { Last.Count: > 0 }) return;
        json.WriteStartObject("ranks");
        json.WriteNumber("epoch", ranks.LastEpoch);
        MetricLog.WriteNumber(json, "skew", RankEpochs.Skew(ranks.Last));
        json.WriteStartArray("ranks");
        foreach (var rank in ranks.Last)
        {
            json.WriteStartObject();
            json.WriteNumber("rank", rank.Rank);
            json.WriteString("host", Printable.Line(rank.Host));
            json.WriteNumber("samplesPerSecond", rank.SamplesPerSecond);
            json.WriteNumber("computeSeconds", rank.ComputeSeconds);
            json.WriteNumber("waitSeconds", rank.WaitSeconds);
            json.WriteNumber("hiddenSeconds", rank.HiddenSeconds);
            json.WriteNumber("bytes", rank.Bytes);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>Writes a value with its epoch, or null.</summary>
    internal static void Measured(Utf8JsonWriter json, string name, MeasuredValue? measured)
    {
        json.WritePropertyName(name);
        if (measured is not { } found)
        {
            json.WriteNullValue();
            return;
        }
        json.WriteStartObject();
        json.WriteNumber("epoch", found.Epoch);
        json.WriteNumber("value", found.Value);
        json.WriteEndObject();
    }

    private static void Number(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number) json.WriteNumber(name, number);
        else json.WriteNull(name);
    }
}
