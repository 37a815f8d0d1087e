using System.Globalization;
using Adjoint.Data;
using Adjoint.Experiments;
using Adjoint.Formats;

namespace Adjoint.Cli;

/// <summary>Own data in a text: windows of it are samples, and its end is kept back.</summary>
internal sealed class OwnText : OwnData
{
    // A small network takes about so many steps; a short text is read over and over for them.
    private const int UsualSteps = 1000, MinEpochs = 2, MaxEpochs = 60;
    private readonly string path;
    private readonly long bytes;
    private DataSplits? parts;

    internal OwnText(string path)
    {
        this.path = path;
        // What is no text is refused before anything else is said.
        bytes = System.Text.Encoding.UTF8.GetByteCount(TextFile.Read(path));
    }

    private protected override IEnumerable<(Setting Setting, string Value)> Findings(
        IReadOnlyDictionary<string, string> given)
    {
        // As the settings stand; tokens of several bytes make fewer steps.
        var settings = TrainSettings.Table.Read(given);
        var (batch, context) = (settings.Get(TrainSettings.BatchSize), settings.Get(TrainSettings.Context));
        var steps = Math.Max(1, bytes / ((long)batch * context));
        yield return (TrainSettings.Epochs,
            Math.Clamp(UsualSteps / steps, MinEpochs, MaxEpochs).ToString(CultureInfo.InvariantCulture));
    }

    internal override DataSplits Load(SettingValues settings, Action<string> say)
    {
        var (fit, length) = (Fit(settings.Get(TrainSettings.Tokens)), settings.Get(TrainSettings.Context));
        try
        {
            return parts = TextDataset.Load(Path.GetFileName(path), [path], fit, length,
                validation: settings.Get(TrainSettings.ValidationShare),
                test: settings.Get(TrainSettings.TestShare));
        }
        catch (AdjointException error) when (error is not DataFormatException)
        {
            // The settings are in their ranges: what is left is a part that is shorter than a window.
            throw new AdjointException($"{error.Message} (--context: {length})", error);
        }
    }

    internal override string Describe(SettingValues settings)
    {
        var (train, validation) = ((TextDataset)parts!.Train, (TextDataset)parts.Validation);
        var different = ((TextPreprocessing)train.Preprocessing!).Size;
        return string.Create(CultureInfo.InvariantCulture,
            $"{path}: {bytes:N0} bytes; {train.TokenCount:N0} training and {validation.TokenCount:N0} validation "
            + $"tokens, {different:N0} different ones");
    }

    private static Func<IReadOnlyList<string>, TextPreprocessing> Fit(string tokens) => tokens switch
    {
        "bytes" => _ => new ByteText(),
        "characters" => texts => CharacterText.Fit(texts),
        var folder when Directory.Exists(folder) =>
            _ => BpeText.Load(Path.Combine(folder, "vocab.json"), Path.Combine(folder, "merges.txt")),
        var other => throw new AdjointException(
            $"--tokens {other}: is neither bytes nor characters nor a folder; name one with vocab.json and merges.txt"),
    };
}
