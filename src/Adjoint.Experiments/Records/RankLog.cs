using System.Text.Json;
using Adjoint.Data;
using Adjoint.IO;
using Adjoint.Training;

namespace Adjoint.Experiments;

/// <summary>
/// Writes what each rank did to <c>ranks.jsonl</c> in the run's folder, a line for each epoch: how many samples a
/// second it learned from, and how long it computed, waited for others, and was sent to while it computed.
/// <see cref="RankEpochs"/> reads them.
/// </summary>
/// <param name="folder">The folder of the run.</param>
/// <param name="parallel">The training of all ranks.</param>
public sealed class RankLog(string folder, DataParallel parallel) : Callback
{
    private readonly string path = Path.Combine(folder, RankEpochs.FileName);

    /// <inheritdoc/>
    public override void AfterEpoch(Trainer trainer, EpochResult epoch)
    {
        if (epoch.Epoch == 0)
        {
            // In place of whatever is there, be it a pipe that nobody reads.
            AtomicFile.Write(path, _ => { });
            return;
        }
        using var file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        Write(file, epoch.Epoch, [.. parallel.Ranks.Where(rank => rank.Epoch == epoch.Epoch)]);
    }

    /// <summary>
    /// Cuts the file back to the epochs of the state: it may hold later ones, or half a line, of a run that was killed.
    /// </summary>
    /// <param name="trainer">The trainer of the run.</param>
    /// <param name="state">The state to resume from.</param>
    public override void Load(Trainer trainer, TrainingState state)
    {
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        AtomicFile.WriteText(path,
            string.Concat(lines.Take(Math.Max(0, trainer.Results.Count - 1)).Select(line => $"{line}\n")));
    }

    private static void Write(Stream file, int epoch, IReadOnlyList<RankEpoch> ranks)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("epoch", epoch);
            json.WriteStartArray("ranks");
            foreach (var rank in ranks)
            {
                json.WriteStartObject();
                json.WriteNumber("rank", rank.Rank);
                json.WriteString("host", rank.Host);
                MetricLog.WriteNumber(json, "samplesPerSecond", rank.SamplesPerSecond);
                MetricLog.WriteNumber(json, "computeSeconds", rank.ComputeSeconds);
                MetricLog.WriteNumber(json, "waitSeconds", rank.WaitSeconds);
                MetricLog.WriteNumber(json, "hiddenSeconds", rank.HiddenSeconds);
                json.WriteNumber("bytes", rank.BytesSent);
                json.WriteEndObject();
            }
            json.WriteEndArray();
            json.WriteEndObject();
        }
        buffer.WriteByte((byte)'\n');
        buffer.WriteTo(file);
    }
}
