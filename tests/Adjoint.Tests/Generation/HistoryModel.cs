using Adjoint.Nn;

namespace Adjoint.Tests.Generation;

/// <summary>
/// A language model whose next token depends on all tokens of the window and their places, in whole numbers: exactly.
/// It notes what it was asked.
/// </summary>
internal sealed class HistoryModel : LanguageModel
{
    private const int Width = 64;
    private readonly Tensor rows;

    internal HistoryModel(int vocabulary, int? maxLength, ulong seed = 1)
    {
        (VocabularySize, MaxLength) = (vocabulary, maxLength);
        rows = Tensor.Eye(Width);
        OutputWeight = AddParameter(
            "weight", (Tensor.Rand([vocabulary, Width], new Generator(seed)) * 8).To(DType.Int64).To(DType.Float32));
    }

    /// <summary>The number of tokens of each call, and whether it had a state.</summary>
    internal List<(int Count, bool HasState)> Calls { get; } = [];

    /// <summary>Of the states that were made, the room.</summary>
    internal List<int> Capacities { get; } = [];

    public override int VocabularySize { get; }

    public override int? MaxLength { get; }

    public override Tensor OutputWeight { get; }

    public override DecodingState CreateState(int batch, int capacity)
    {
        Assert.Equal(1, batch);
        Assert.True(capacity >= 1 && !(capacity > MaxLength));
        Capacities.Add(capacity);
        return new Seen(capacity);
    }

    protected override Tensor HiddenCore(Tensor tokens, DecodingState? state)
    {
        Assert.False(IsTraining);
        Calls.Add((tokens.Shape[1], state is not null));
        var sum = state is Seen seen ? seen : new Seen(int.MaxValue);
        Assert.Equal(sum.Count, state?.Length ?? 0);
        var hashes = tokens.ToArray<long>().Select(token => sum.Add(token)).ToArray();
        return rows.Embedding(Tensor.From(hashes, 1, hashes.Length));
    }

    private sealed class Seen(int capacity) : DecodingState(1)
    {
        private long hash;

        internal int Count { get; private set; }

        internal long Add(long token)
        {
            Assert.True(Count < capacity, $"more than {capacity} tokens");
            hash = (hash * 31 + token * (Count++ + 7)) % 1_000_003;
            return hash % Width;
        }
    }
}
