using Adjoint.Data;
using Adjoint.Nn;

namespace Adjoint.Training;

/// <summary>Several views of an image, whose logits are averaged when a classifier is evaluated or used.</summary>
public sealed class TestTimeAugmentation
{
    private readonly (Func<Tensor, Tensor> View, double Weight)[] views;

    private TestTimeAugmentation(string name, params (Func<Tensor, Tensor> View, double Weight)[] views) =>
        (Name, this.views) = (name, views);

    /// <summary>The name of the set of views, in settings.</summary>
    public string Name { get; }

    /// <summary>The image alone, without other views.</summary>
    public static TestTimeAugmentation None { get; } = new("none", (x => x, 1));

    /// <summary>The image and its mirror image, left to right.</summary>
    public static TestTimeAugmentation Flip { get; } = new("flip", (x => x, 0.5), (Mirror, 0.5));

    /// <summary>
    /// Both, and both shifted by one pixel up and left and down and right, with half the weight of the unshifted in all
    /// (Jordan 2024, §A).
    /// </summary>
    public static TestTimeAugmentation FlipAndShift { get; } = new("flip-shift",
        (x => x, 0.25), (Mirror, 0.25),
        (x => Shift(x, 0), 0.125), (x => Mirror(Shift(x, 0)), 0.125), (x => Shift(x, 2), 0.125),
            (x => Mirror(Shift(x, 2)), 0.125));

    /// <summary>All sets of views, for a choice by name.</summary>
    public static IReadOnlyList<TestTimeAugmentation> All { get; } = [None, Flip, FlipAndShift];

    /// <summary>The weighted mean of the logits of all views.</summary>
    /// <param name="model">The classifier, which gets the views in its own type.</param>
    /// <param name="x">Images (n, c, h, w), of any floating type.</param>
    /// <returns>The logits (n, classes).</returns>
    public Tensor Predict(Layer model, Tensor x) =>
        Average(x.DType.IsFloating() ? x.To(model.DType) : x, model.Forward);

    /// <summary>The weighted mean of a task's outputs for all views of a batch's inputs.</summary>
    internal Tensor Predict(LearningTask task, Module model, Batch batch) => views.Length == 1
        ? task.Forward(model, batch)
        : Average(batch.Inputs, view => task.Forward(model, batch.With(Field.Inputs, view)));

    private Tensor Average(Tensor x, Func<Tensor, Tensor> forward)
    {
        if (views.Length == 1) return forward(x);
        if (x.Rank != 4)
            throw new AdjointException(
                $"TestTimeAugmentation: {Name} is for images (n, c, h, w): found {x.Shape}; use none");
        return views.Select(view => forward(view.View(x)) * view.Weight).Aggregate((sum, logits) => sum + logits);
    }

    private static Tensor Mirror(Tensor x) => x.IndexSelect(3, [.. Enumerable.Range(0, x.Shape[3]).Reverse()]);

    private static Tensor Shift(Tensor x, int by) =>
        x.PadReflect(1).Slice(2, by, x.Shape[2]).Slice(3, by, x.Shape[3]).Contiguous();
}
