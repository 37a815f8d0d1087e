using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>
/// Each token is predicted from those before it: cross-entropy of logits (n, t, vocabulary) with labels (n, t) int64,
/// the token that comes next at each place; −100 is left out, such as padding. Where the batch has no targets, they are
/// the inputs (n, t + 1) from the second token on. The loss is the mean over tokens, each with its sample's weight.
/// </summary>
public sealed class NextTokenTask : LearningTask
{
    /// <inheritdoc/>
    public override string Name => "next-token";

    /// <inheritdoc/>
    public override Tensor Forward(Module model, Batch batch) => base.Forward(model, Shifted(batch));

    /// <summary>Without the shift: what comes after the last token is asked for, too.</summary>
    internal override Tensor Infer(Module model, Batch batch) => base.Forward(model, batch);

    /// <inheritdoc/>
    public override Tensor Loss(Tensor output, Batch batch)
    {
        var own = Shifted(batch);
        RequireRows("logits (n, t, vocabulary)", output, own);
        return LabeledRows.Loss(output, own, Reduction);
    }

    /// <summary>
    /// The loss that a step minimizes. Of a <see cref="LanguageModel"/>, the logits of all tokens are never in memory
    /// at once.
    /// </summary>
    /// <inheritdoc cref="LearningTask.Loss(Module, Batch)"/>
    public override Tensor Loss(Module model, Batch batch)
    {
        if (model is not LanguageModel language) return base.Loss(model, batch);
        var own = Shifted(batch);
        var hidden = language.Hidden(own.Inputs);
        RequireRows("hidden states (n, t, width)", hidden, own);
        return LabeledRows.Loss(hidden, language.OutputWeight, language.OutputBias, own, Reduction);
    }

    /// <summary>The number of tokens with a label, each with its sample's weight.</summary>
    /// <inheritdoc cref="LearningTask.Weight"/>
    public override double Weight(Batch batch) => BatchRules.Known(Shifted(batch));

    /// <inheritdoc/>
    public override void Check(Batch batch)
    {
        base.Check(batch);
        BatchRules.RequireType(Name, Shifted(batch).Targets, isFloating: false);
        BatchRules.RequireKnown(Name, Shifted(batch));
    }

    /// <summary>Adds a batch to a metric, which sees each token as a sample of its own.</summary>
    /// <inheritdoc cref="LearningTask.Update"/>
    public override void Update(Metric metric, Tensor output, Batch batch)
    {
        var own = Shifted(batch);
        var tokens = own.Targets.Length;
        var rows = new Batch([(Field.Targets, own.Targets.Contiguous().Reshape(tokens))]);
        if (own.Has(Field.Determined))
            rows = rows.With(Field.Determined, own[Field.Determined].Contiguous().Reshape(tokens));
        if (batch.Weights is { } weights)
            rows = rows.With(Field.Weights, weights.Unsqueeze(1).Expand(batch.Count, tokens / batch.Count).Reshape(-1));
        metric.Update(output.Contiguous().Reshape(tokens, output.Shape[^1]), rows);
    }

    /// <inheritdoc/>
    public override IReadOnlyList<Metric> CreateMetrics() => Metrics?.Invoke() ?? [new Perplexity(), new Accuracy()];

    /// <summary>The probabilities of the next token at each place.</summary>
    /// <param name="output">Logits (n, t, vocabulary).</param>
    /// <returns>Probabilities (n, t, vocabulary).</returns>
    public override Tensor Predict(Tensor output) => output.Softmax();

    private void RequireRows(string needed, Tensor output, Batch batch)
    {
        var targets = batch.Targets;
        if (output.Rank != 3 || targets.Rank != 2 || output.Shape[0] != targets.Shape[0]
            || output.Shape[1] != targets.Shape[1])
            throw new AdjointException(
                $"{Name}: {needed} and labels (n, t) are needed: found {output.Shape} and {targets.Shape}; use a model "
                + "with an output for each token");
    }

    private Batch Shifted(Batch batch)
    {
        if (batch.Has(Field.Targets)) return batch;
        if (batch.Inputs.Rank != 2 || batch.Inputs.Shape[1] < 2)
            throw new AdjointException(
                $"{Name}: tokens (n, t + 1) with t from 1, or targets beside them, are needed: found "
                + $"{batch.Inputs.Shape}");
        var count = batch.Inputs.Shape[1] - 1;
        return batch.With(Field.Targets, batch.Inputs.Slice(1, 1, count).Contiguous())
            .With(Field.Inputs, batch.Inputs.Slice(1, 0, count).Contiguous());
    }
}
