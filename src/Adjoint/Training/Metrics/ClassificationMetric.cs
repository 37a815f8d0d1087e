namespace Adjoint.Training;

/// <summary>
/// A metric of classes or labels. Outputs and targets may be: logits (n, classes) with class indices (n); logits
/// (n, classes) with probabilities (n, classes), soft targets; one logit per sample (n) or (n, 1) with truth values (n)
/// of any type, binary classification; with <see cref="MultiLabel"/>, a logit and a truth value per label (n, labels).
/// Further axes, such as those of images or texts, hold further elements: (n, classes, h, w) with (n, h, w). Targets of
/// −100 (<see cref="Loss.IgnoredLabel"/>) and elements of weight 0 are left out, as if they were not there. A NaN among
/// the outputs of any other element makes the result NaN.
/// </summary>
public abstract class ClassificationMetric : Metric
{
    // The sum of soft targets in float32 may round to a little more.
    private const double LargestProbability = 1 + 1e-3;

    private bool hasNaN;

    private protected ClassificationMetric() { }

    /// <summary>
    /// Whether outputs are logits, as by default: unnormalized scores before softmax or sigmoid. False: probabilities.
    /// </summary>
    public bool FromLogits { get; init; } = true;

    /// <summary>
    /// Whether each output is a yes or no of its own, so that several may be true at once (sigmoid); false by default:
    /// exactly one class is true (softmax).
    /// </summary>
    public bool MultiLabel { get; init; }

    /// <summary>
    /// The axis of the outputs that holds the classes: 1 by default, as for images (n, classes, h, w); −1, the last, as
    /// for texts (n, t, classes).
    /// </summary>
    public int ClassAxis { get; init; } = 1;

    /// <summary>
    /// The number of classes or labels; 0 before the first batch. One logit per sample has two classes.
    /// </summary>
    private protected int Classes { get; private set; }

    /// <summary>The distance from 1 to the next number of the outputs' type.</summary>
    private protected double Epsilon { get; private set; }

    /// <inheritdoc/>
    public sealed override void Reset()
    {
        (Classes, hasNaN) = (0, false);
        Clear();
    }

    /// <inheritdoc/>
    public sealed override void Update(Tensor outputs, Tensor targets, Tensor? weights = null)
    {
        var layout = Layout(outputs, targets);
        var classes = layout.IsOneScore ? 2 : layout.Classes;
        if (Classes != 0 && Classes != classes)
            throw Error($"the batches must have the same number of classes: found {classes} after {Classes}; "
                + "call Reset() in between");
        foreach (var chunk in MetricInputs.Chunks(targets))
            RequireTargets(layout, MetricInputs.Doubles(targets, chunk), chunk.Start);
        var weight = MetricInputs.Weights(Label, weights, layout.Samples, layout.Elements);
        if (Classes == 0)
        {
            Begin(classes);
            Classes = classes;
        }
        Epsilon = EpsilonOf(outputs.DType);
        foreach (var chunk in MetricInputs.Chunks(outputs))
        {
            var own = weight.AsSpan(weight is null ? 0 : chunk.Start * layout.PerSample);
            Add(layout, MetricInputs.Doubles(outputs, chunk), MetricInputs.Doubles(targets, chunk), own);
        }
    }

    /// <inheritdoc/>
    public sealed override double Compute() => hasNaN || Classes == 0 ? double.NaN : Value();

    /// <summary>Forgets everything.</summary>
    private protected abstract void Clear();

    /// <summary>Prepares for samples of so many classes or labels.</summary>
    private protected abstract void Begin(int classes);

    /// <summary>Adds an element of a class.</summary>
    private protected abstract void AddClass(ReadOnlySpan<double> outputs, int label, double weight);

    /// <summary>Adds an element with a probability for each class.</summary>
    private protected virtual void AddSoft(ReadOnlySpan<double> outputs, ReadOnlySpan<double> target, double weight) =>
        AddClass(outputs, Scores.Largest(target), weight);

    /// <summary>
    /// Adds an element with a truth value in [0, 1] for each label, or <see cref="Loss.IgnoredLabel"/>.
    /// </summary>
    private protected virtual void AddLabels(
        ReadOnlySpan<double> outputs, ReadOnlySpan<double> targets, double weight) =>
        throw Error("exactly one class is to be right: found MultiLabel = true; use F1 for several labels");

    /// <summary>The result of at least one batch, none of whose elements that count has a NaN.</summary>
    private protected abstract double Value();

    /// <summary>Makes the result NaN.</summary>
    private protected void NoteNaN() => hasNaN = true;

    /// <summary>An error of this metric.</summary>
    private protected AdjointException Error(string text) => new($"{Label}: {text}");

    private static double EpsilonOf(DType type) => type switch
    {
        DType.Float64 => 1.0 / (1L << 52),
        DType.Float32 => 1.0 / (1 << 23),
        DType.Float16 => 1.0 / (1 << 10),
        DType.BFloat16 => 1.0 / (1 << 7),
        _ => throw new AdjointException($"Metric: outputs of a floating type are needed: found {type.Label()}"),
    };

    private string Label => GetType().Name;

    private void Add(Arrangement layout, double[] outputs, double[] targets, ReadOnlySpan<double> weights)
    {
        var (size, inner) = (layout.Classes, layout.Inner);
        Span<double> own = new double[Math.Max(2, size)], target = new double[Math.Max(2, size)];
        for (var element = 0; element < outputs.Length / Math.Max(1, size); element++)
        {
            var weight = weights.IsEmpty ? 1 : weights[element];
            var from = element / inner * size * inner + element % inner;
            if (weight == 0 || IsIgnored(layout, targets, element, from)) continue;
            for (var k = 0; k < size; k++) own[k] = outputs[from + k * inner];
            if (HasNaN(own[..size]))
            {
                NoteNaN();
                continue;
            }
            if (layout.IsOneScore)
            {
                Scores.OfTwo(FromLogits, own);
                target[1] = targets[element];
                target[0] = 1 - target[1];
                AddOne(own[..2], target[..2], weight);
            }
            else if (!layout.HasTargetPerClass)
                AddClass(own[..size], (int)targets[element], weight);
            else
            {
                for (var k = 0; k < size; k++) target[k] = targets[from + k * inner];
                if (MultiLabel) AddLabels(own[..size], target[..size], weight);
                else AddSoft(own[..size], target[..size], weight);
            }
        }
    }

    private static bool HasNaN(ReadOnlySpan<double> values)
    {
        foreach (var value in values)
            if (double.IsNaN(value)) return true;
        return false;
    }

    private void AddOne(ReadOnlySpan<double> outputs, ReadOnlySpan<double> target, double weight)
    {
        if (target[1] is 0 or 1) AddClass(outputs, (int)target[1], weight);
        else AddSoft(outputs, target, weight);
    }

    private bool IsIgnored(Arrangement layout, double[] targets, int element, int from)
    {
        if (!layout.HasTargetPerClass) return targets[element] == Loss.IgnoredLabel;
        if (!MultiLabel) return targets[from] == Loss.IgnoredLabel;
        for (var k = 0; k < layout.Classes; k++)
            if (targets[from + k * layout.Inner] != Loss.IgnoredLabel) return false;
        return true;
    }

    private Arrangement Layout(Tensor outputs, Tensor targets)
    {
        var isAlike = outputs.Shape == targets.Shape;
        if (!outputs.DType.IsFloating() || outputs.Rank == 0)
            throw Error($"outputs (n, …) of a floating type are needed: found {outputs.Shape} "
                + $"{outputs.DType.Label()}; cast with .To(DType.Float32)");
        var axis = ClassAxis < 0 ? ClassAxis + outputs.Rank : ClassAxis;
        if (outputs.Rank == 1)
            return isAlike ? new(outputs.Shape[0], 1, 1, outputs.Shape, !MultiLabel, MultiLabel)
                : throw Unlike(outputs, targets);
        if (axis < 1 || axis >= outputs.Rank)
            throw Error($"ClassAxis {ClassAxis} is no axis of classes of outputs {outputs.Shape}; use "
                + $"1..{outputs.Rank - 1}, or −1 for the last");
        int[] elements = [.. outputs.Shape.Sizes[..axis], .. outputs.Shape.Sizes[(axis + 1)..]];
        var (classes, inner) = (outputs.Shape[axis], ((Shape)elements[axis..]).Elements);
        var isOneScore = classes == 1 && !MultiLabel;
        var isHard = targets.Shape == (Shape)elements;
        if (!isAlike && (!isHard || MultiLabel)) throw Unlike(outputs, targets);
        if (!isOneScore && !MultiLabel && targets.DType.IsFloating() == isHard)
            throw Error((isHard ? "a target per element is a class index, of an integer type"
                : "a target per output is a probability, of a floating type") + $": found {outputs.Shape} "
                + $"{outputs.DType.Label()} and {targets.Shape} {targets.DType.Label()}; "
                + (isHard ? "cast with .To(DType.Int64)" : "use MultiLabel = true for truth values of several labels"));
        return new(outputs.Shape[0], classes, inner, elements, isOneScore, !isHard && !isOneScore);
    }

    private AdjointException Unlike(Tensor outputs, Tensor targets)
    {
        var needed = MultiLabel
            ? "outputs and targets of one shape (n, labels)"
            : "outputs (n, classes) with labels (n), or outputs and targets of one shape,";
        var axis = outputs.Rank > 2 && !MultiLabel ? $", or set ClassAxis: found {ClassAxis}" : "";
        return Error(
            $"{needed} are needed: found {outputs.Shape} and {targets.Shape}; use .Reshape(…) on one of them{axis}");
    }

    private void RequireTargets(Arrangement layout, double[] targets, int firstSample)
    {
        var perSample = layout.PerSample * (layout.HasTargetPerClass ? layout.Classes : 1);
        for (var i = 0; i < targets.Length; i++)
        {
            var target = targets[i];
            var isRight = target == Loss.IgnoredLabel || (layout.HasTargetPerClass || layout.IsOneScore
                ? target is >= 0 and <= LargestProbability
                : target >= 0 && target < layout.Classes);
            if (layout.HasTargetPerClass && !MultiLabel)
                isRight &= target == Loss.IgnoredLabel == (targets[FirstOfElement(layout, i)] == Loss.IgnoredLabel);
            if (isRight) continue;
            var allowed = layout.HasTargetPerClass || layout.IsOneScore ? "0 to 1" : $"0..{layout.Classes - 1}";
            throw Error($"target {target} of sample {firstSample + i / perSample} is not in {allowed}; use −100 to "
                + $"leave {(layout.HasTargetPerClass && !MultiLabel ? "a whole element" : "it")} out");
        }
    }

    private static int FirstOfElement(Arrangement layout, int i) =>
        i / (layout.Classes * layout.Inner) * layout.Classes * layout.Inner + i % layout.Inner;

    // Where the scores of an element lie: Classes numbers at a distance of Inner. Elements is the shape without them.
    private readonly record struct Arrangement(
        int Samples, int Classes, int Inner, Shape Elements, bool IsOneScore, bool HasTargetPerClass)
    {
        internal int PerSample => Elements.Elements / Math.Max(1, Samples);
    }
}
