using Adjoint.Nn;

namespace Adjoint.Tests.Generation;

/// <summary>A language model whose distribution is known: the next token depends on the last one alone.</summary>
internal sealed class MarkovModel : LanguageModel, ISavableModule<MarkovModel>
{
    private readonly Tensor identity;

    /// <param name="probabilities">Of the next token, a row for each token.</param>
    internal MarkovModel(double[,] probabilities)
    {
        VocabularySize = probabilities.GetLength(0);
        identity = Tensor.Eye(VocabularySize, dtype: DType.Float64);
        var logits = new double[VocabularySize * VocabularySize];
        for (var i = 0; i < VocabularySize; i++)
            for (var j = 0; j < VocabularySize; j++)
                logits[j * VocabularySize + i] = Math.Log(probabilities[i, j]);
        OutputWeight = AddParameter("weight", Tensor.From(logits, VocabularySize, VocabularySize));
    }

    public override int VocabularySize { get; }

    public override int? MaxLength => null;

    public override Tensor OutputWeight { get; }

    public override DecodingState CreateState(int batch, int capacity) => new Seen(batch);

    protected override Tensor HiddenCore(Tensor tokens, DecodingState? state) => identity.Embedding(tokens);

    public static MarkovModel Create(ModuleSettings settings) =>
        new(new double[settings.Integer("tokens"), settings.Integer("tokens")]);

    void ISavableModule.Describe(ModuleSettings settings) => settings.Set("tokens", VocabularySize);

    private sealed class Seen(int batch) : DecodingState(batch);
}
