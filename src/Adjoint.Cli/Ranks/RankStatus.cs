using System.Text;
using System.Text.Json;

namespace Adjoint.Cli;

/// <summary>What a rank tells the launcher that started it, in a line on standard error.</summary>
internal sealed record RankStatus
{
    /// <summary>What it is about.</summary>
    internal required RankEvent Event { get; init; }

    /// <summary>The rank that it is about: the one that tells, or the one that failed.</summary>
    internal required int Rank { get; init; }

    /// <summary>The machine of that rank.</summary>
    internal string Host { get; init; } = "";

    /// <summary>The number of its process, and when that was started, so that no other is taken for it.</summary>
    internal int Process { get; init; }

    /// <summary>When the process was started, in ticks.</summary>
    internal long Started { get; init; }

    /// <summary>The steps that are done.</summary>
    internal int Step { get; init; }

    /// <summary>The folder of the run, or what went wrong.</summary>
    internal string Text { get; init; } = "";

    /// <summary>The exit code.</summary>
    internal int Code { get; init; }

    /// <summary>
    /// A line that a shell's <c>printf</c> makes of the numbers of a rank, its process, and the signal that ended it.
    /// </summary>
    internal const string KilledFormat =
        """{"event":"Killed","rank":%d,"host":"","process":%d,"started":0,"step":0,"text":"","code":%d}""";

    /// <summary>One line.</summary>
    public override string ToString()
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("event", $"{Event}");
            json.WriteNumber("rank", Rank);
            json.WriteString("host", Host);
            json.WriteNumber("process", Process);
            json.WriteNumber("started", Started);
            json.WriteNumber("step", Step);
            json.WriteString("text", Text);
            json.WriteNumber("code", Code);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.ToArray());
    }

    /// <summary>Reads a line; null where it is none, as of a rank that was killed while it wrote.</summary>
    internal static RankStatus? Read(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            var root = json.RootElement;
            return new()
            {
                Event = Enum.Parse<RankEvent>(root.GetProperty("event").GetString()!),
                Rank = root.GetProperty("rank").GetInt32(),
                Host = root.GetProperty("host").GetString()!,
                Process = root.GetProperty("process").GetInt32(),
                Started = root.GetProperty("started").GetInt64(),
                Step = root.GetProperty("step").GetInt32(),
                Text = root.GetProperty("text").GetString()!,
                Code = root.GetProperty("code").GetInt32(),
            };
        }
        catch (Exception error) when (error is JsonException or KeyNotFoundException or InvalidOperationException
            or FormatException or ArgumentException)
        {
            return null;
        }
    }
}

/// <summary>What a <see cref="RankStatus"/> is about.</summary>
internal enum RankEvent
{
    /// <summary>A rank is there: host and process.</summary>
    Hello,

    /// <summary>The run can go on from its folder, should it end here.</summary>
    Folder,

    /// <summary>So many steps are done.</summary>
    Step,

    /// <summary>A rank is silent, or cannot be reached: text.</summary>
    Lost,

    /// <summary>A signal ended a rank; the code is its number. The shell that watches over it tells.</summary>
    Killed,

    /// <summary>The program failed, and would again: what is wrong has been said.</summary>
    Failed,

    /// <summary>Rank 0 ends, with this code.</summary>
    End,
}
