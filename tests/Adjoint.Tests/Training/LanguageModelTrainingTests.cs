using System.Runtime.InteropServices;
using Adjoint.Data;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Tests.Training;

/// <summary>Language models train to the same bits, however their steps are run.</summary>
public class LanguageModelTrainingTests
{
    private const int Epochs = 2, StepsPerEpoch = 4;
    private static readonly DataSplits Strings = new BracketLanguage(kinds: 2, depth: 3, length: 12)
        .Create(length: 16, seed: 1, train: 8 * StepsPerEpoch - 3, validation: 8);

    public static TheoryData<string> Models => ["gpt", "gpt, rotary", "gpt, alibi", "lstm"];

    [Theory]
    [MemberData(nameof(Models))]
    public void Captured_as_eager(string name) =>
        Assert.Equal(Finish(Trainer(name, isEager: true)), Finish(Trainer(name)));

    [Theory]
    [MemberData(nameof(Models))]
    public void On_any_number_of_threads(string name)
    {
        var ends = Threads.Of(1, 2, 3).Select(_ => Finish(Trainer(name))).ToArray();
        foreach (var end in ends) Assert.Equal(ends[0], end);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Stopped_and_gone_on(string name)
    {
        var whole = Finish(Trainer(name));
        foreach (var stop in (int[])[1, StepsPerEpoch, StepsPerEpoch + 2])
        {
            using var cancel = new CancellationTokenSource();
            var first = Trainer(name);
            first.Callbacks.Add(new StopAt(stop, cancel));
            Assert.True(first.Fit(Epochs, cancel.Token).WasCanceled);
            var second = Trainer(name);
            second.Load(first.Save());
            Assert.Equal(whole, Finish(second));
        }
    }

    private static Trainer Trainer(string name, bool isEager = false)
    {
        var (random, size) = (new Generator(1), ((TextPreprocessing)Strings.Train.Preprocessing!).Size);
        LanguageModel model = name == "lstm"
            ? new LstmLanguageModel(size, width: 16, layers: 2, dropout: 0.1, random)
            : new Gpt(
                new()
                {
                    Vocabulary = size,
                    Context = 16,
                    Width = 16,
                    Heads = 2,
                    Layers = 2,
                    Dropout = 0.1,
                    Positions = name switch
                    {
                        "gpt" => PositionKind.Learned,
                        "gpt, rotary" => PositionKind.Rotary,
                        _ => PositionKind.Alibi,
                    },
                },
                random);
        return new(model, new AdamW(model.Parameters(), 0.01), new NextTokenTask(),
            new DataLoader(Strings.Train, 8, new() { Shuffle = true, Seed = 1 }), new DataLoader(Strings.Validation, 8))
        {
            Eager = isEager,
            MaxGradientNorm = 1,
        };
    }

    private static byte[] Finish(Trainer trainer)
    {
        var result = trainer.Fit(Epochs);
        Assert.Equal(Epochs, result.Epochs[^1].Epoch);
        if (!trainer.Eager) Assert.Null(result.Capture?.Refusal);
        return
        [
            .. MemoryMarshal.AsBytes<double>([.. result.Epochs.Select(epoch => epoch.ValidationLoss)]),
            .. trainer.Model.StateDict().OrderBy(entry => entry.Key, StringComparer.Ordinal)
                .SelectMany(entry => MemoryMarshal.AsBytes<float>(entry.Value.ToArray<float>()).ToArray()),
        ];
    }
}
