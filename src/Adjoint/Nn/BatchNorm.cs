using Adjoint.Kernels;
using Adjoint.Primitives;

namespace Adjoint.Nn;

/// <summary>
/// Batch normalization of x (n, c, …) per channel (Ioffe and Szegedy 2015). Training uses the batch's statistics, and
/// updates the running ones: running ← (1 − momentum)·running + momentum·batch, the variance divided by count − 1 (by
/// count, where that is 1); evaluation uses the running ones. γ begins as 1, β as 0, as in PyTorch.
/// </summary>
public sealed class BatchNorm : Layer, ISavableModule<BatchNorm>
{
    private readonly Tensor gamma, beta, mean, variance;
    private readonly double momentum, epsilon;
    private readonly bool isScaled;

    /// <summary>Creates a layer for inputs (n, channels, …).</summary>
    /// <param name="channels">The number of channels c, 1 or more.</param>
    /// <param name="momentum">The weight of the new batch in the running statistics, from 0 to 1.</param>
    /// <param name="epsilon">The number ε added to the variance before its root is taken.</param>
    /// <param name="scale">Whether γ is learned; without it, it stays 1.</param>
    /// <exception cref="AdjointException">A setting is out of range.</exception>
    public BatchNorm(int channels, double momentum = 0.1, double epsilon = 1e-5, bool scale = true)
    {
        if (channels < 1 || momentum is not (>= 0 and <= 1) || !(epsilon > 0))
            throw new AdjointException(
                $"BatchNorm: channels and ε must be positive, the momentum from 0 to 1: found {channels}, {epsilon}, "
                + $"{momentum}");
        (Channels, this.momentum, this.epsilon, isScaled) = (channels, momentum, epsilon, scale);
        gamma = scale
            ? AddParameter("weight", Tensor.Ones(channels))
            : AddBuffer("weight", Tensor.Ones(channels), isSaved: false);
        beta = AddParameter("bias", Tensor.Zeros(channels));
        mean = AddBuffer("running_mean", Tensor.Zeros(channels));
        variance = AddBuffer("running_var", Tensor.Ones(channels));
    }

    /// <summary>The number of channels.</summary>
    public int Channels { get; }

    /// <summary>
    /// Adds up a tensor over all those who train a part of the same batch, for statistics over all of it; null: the
    /// batch is here.
    /// </summary>
    internal Func<Tensor, Tensor>? SumOverAll { get; set; }

    /// <inheritdoc/>
    protected override Tensor ForwardCore(Tensor x)
    {
        if (x.Rank < 2 || x.Shape[1] != Channels)
            throw new AdjointException(
                $"BatchNorm: an input (n, {Channels}, …) is needed: found {x.Shape}; the second axis must be the "
                + "number of channels");
        if (!IsTraining)
        {
            int[] shape = [.. Enumerable.Range(0, x.Rank).Select(axis => axis == 1 ? Channels : 1)];
            var factor = gamma * (variance + epsilon).Pow(-0.5);
            return x * factor.Reshape(shape) + (beta - mean * factor).Reshape(shape);
        }
        var sum = SumOverAll;
        Execution.Current.Arena?.Assume(() => SumOverAll == sum, "over whom a BatchNorm takes its statistics");
        if (sum is not null) return Synchronized(x, sum);
        var op = new BatchNormOp(epsilon);
        var y = Op.Apply(op, x, gamma, beta);
        // Of nothing there are no statistics.
        if (x.Length == 0) return y;
        var count = (double)x.Length / Channels;
        Move(mean, op.Mean!, 1);
        Move(variance, op.Variance!, count > 1 ? count / (count - 1) : 1);
        return y;
    }

    // The variance from deviations from the mean: that of squares would cancel.
    private Tensor Synchronized(Tensor x, Func<Tensor, Tensor> sum)
    {
        int[] axes = [.. Enumerable.Range(0, x.Rank).Where(axis => axis != 1)];
        int[] shape = [.. Enumerable.Range(0, x.Rank).Select(axis => axis == 1 ? Channels : 1)];
        var wide = x.Widened();
        var own = Tensor.Full([1], (double)x.Length / Channels, wide.DType);
        var sums = sum(Tensor.Concat([wide.Sum(axes), own], 0));
        var count = sums.Slice(0, Channels, 1);
        var batchMean = sums.Slice(0, 0, Channels) / count;
        var deviation = wide - batchMean.Reshape(shape);
        var batchVariance = sum(deviation.Square().Sum(axes)) / count;
        var factor = gamma.Widened() * (batchVariance + epsilon).Pow(-0.5);
        var y = deviation * factor.Reshape(shape) + beta.Widened().Reshape(shape);
        using (new NoGrad())
        {
            Move(mean, batchMean.Detach(), 1);
            Move(variance, batchVariance.Detach() * (count / (count - 1).Maximum(Tensor.Ones([1], count.DType))), 1);
        }
        return y.To(x.DType);
    }

    // Graphs of a forward pass in use saved the old value: they see that it is gone.
    private void Move(Tensor running, Tensor batch, double factor)
    {
        Backend.Run(new Zip<Blend>(new(momentum, factor)), running, batch.To(running.DType), running);
        running.BumpVersion();
    }

    /// <inheritdoc/>
    public override string ToString() => $"BatchNorm({Channels})";

    private readonly struct Blend(double momentum, double factor) : IBinaryOperator
    {
        public V Invoke<V>(V running, V batch) where V : struct, ILanes<V> =>
            V.Fma(batch, V.Splat(momentum * factor), running * V.Splat(1 - momentum));
    }

    static BatchNorm ISavableModule<BatchNorm>.Create(ModuleSettings settings) => new(
        settings.Integer("channels"), settings.Number("momentum"), settings.Number("epsilon"), settings.Flag("scale"));

    void ISavableModule.Describe(ModuleSettings settings)
    {
        settings.Set("channels", Channels);
        settings.Set("momentum", momentum);
        settings.Set("epsilon", epsilon);
        settings.Set("scale", isScaled);
    }
}
