using Adjoint.Training;

namespace Adjoint.Tests.Training;

public class AccuracyTests
{
    // Largest outputs: 1, 0, 0 (a tie: the first), 2.
    private static Tensor Outputs => Tensor.From(new float[] { 0, 2, 1, 3, 1, 2, 5, 5, 1, 0, 0, 1 }, 4, 3);

    [Fact]
    public void Counts_samples_however_they_are_divided()
    {
        var (labels, accuracy) = (Tensor.From(new long[] { 1, 1, 0, 2 }, 4), new Accuracy());
        Assert.True(double.IsNaN(accuracy.Compute()));
        accuracy.Update(Outputs.Slice(0, 0, 3), labels.Slice(0, 0, 3));
        accuracy.Update(Outputs.Slice(0, 3, 1), labels.Slice(0, 3, 1));
        Assert.Equal(0.75, accuracy.Compute());
        accuracy.Reset();
        accuracy.Update(Outputs.Slice(0, 1, 1), labels.Slice(0, 1, 1));
        Assert.Equal(0, accuracy.Compute());
    }

    [Fact]
    public void Weighs_samples_and_takes_the_largest_of_soft_targets()
    {
        var (labels, accuracy) = (Tensor.From(new long[] { 1, 1, 0, 2 }, 4), new Accuracy());
        accuracy.Update(Outputs, labels, Tensor.From(new float[] { 1, 3, 0, 2 }, 4));
        Assert.Equal(0.5, accuracy.Compute());
        accuracy.Reset();
        accuracy.Update(Outputs, Tensor.From(new float[] { 0.4f, 0.6f, 0, 0, 1, 0, 0.5f, 0.2f, 0.3f, 0, 0.1f, 0.9f },
            4, 3));
        Assert.Equal(0.75, accuracy.Compute());
    }

    [Fact]
    public void Refuses_what_is_not_a_label_per_row()
    {
        var error = Assert.Throws<AdjointException>(() => new Accuracy().Update(Outputs, Tensor.Zeros(4)));
        Assert.Contains("found (4, 3) float32 and (4,) float32;", error.Message, StringComparison.Ordinal);
    }
}
