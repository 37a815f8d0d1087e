using Adjoint.Kernels;

namespace Adjoint;

/// <summary>Turns every operation into a <see cref="Command"/> and hands it to an observer, who runs it: to record it, or to time it.</summary>
internal sealed class ObservedBackend(Action<Command> execute) : Backend
{
    public override string Name => "observed CPU";

    public override void Map<TLane>(TLane lane, Tensor x, Tensor y) => execute(new MapCommand<TLane>(lane, x, y));

    public override void Zip<TLane>(TLane lane, Tensor x, Tensor y, Tensor z) => execute(new ZipCommand<TLane>(lane, x, y, z));

    public override void Zip<TLane>(TLane lane, Tensor x, Tensor y, Tensor z, Tensor w) => execute(new Zip3Command<TLane>(lane, x, y, z, w));

    public override void Reduce<TLane>(TLane lane, Tensor x, ReadOnlySpan<bool> reduced, Tensor y) => execute(new ReduceCommand<TLane>(lane, x, reduced.ToArray(), y));

    public override void Copy(Tensor x, Tensor y) => execute(new CopyCommand(x, y));

    public override void Clear(Tensor y) => execute(new ClearCommand(y));

    public override void Scatter(Tensor x, Tensor y) => execute(new ScatterCommand(x, y));

    public override void MatMul<TLane>(Tensor a, Tensor b, Tensor? bias, TLane activation, Tensor c) => execute(new MatMulCommand<TLane>(a, b, bias, activation, c));

    public override void Softmax(Tensor x, Tensor y) => execute(new SoftmaxCommand(x, y, logarithm: false));

    public override void LogSoftmax(Tensor x, Tensor y) => execute(new SoftmaxCommand(x, y, logarithm: true));

    public override void Conv2d(ConvShape shape, Tensor x, Tensor w, Tensor? bias, Tensor y) => execute(new Conv2dCommand(shape, x, w, bias, y));

    public override void Conv2dDataGradient(ConvShape shape, Tensor g, Tensor w, Tensor dx) => execute(new Conv2dDataGradientCommand(shape, g, w, dx));

    public override void Conv2dWeightGradient(ConvShape shape, Tensor x, Tensor g, Tensor dw) => execute(new Conv2dWeightGradientCommand(shape, x, g, dw));

    public override void MaxPool2d(PoolShape windows, Tensor x, Tensor y, Tensor index) => execute(new MaxPool2dCommand(windows, x, y, index));

    public override void MaxPool2dGradient(PoolShape windows, Tensor g, Tensor index, Tensor dx) => execute(new MaxPool2dGradientCommand(windows, g, index, dx));

    public override void BatchNorm(Tensor x, Tensor gamma, Tensor beta, double epsilon, Tensor mean, Tensor variance, Tensor inverseDeviation, Tensor y) =>
        execute(new BatchNormCommand(x, gamma, beta, epsilon, mean, variance, inverseDeviation, y));

    public override void BatchNormGradient(Tensor x, Tensor g, Tensor mean, Tensor inverseDeviation, Tensor gamma, Tensor dx, Tensor dgamma, Tensor dbeta) =>
        execute(new BatchNormGradientCommand(x, g, mean, inverseDeviation, gamma, dx, dgamma, dbeta));

    public override void IndexSelect(Tensor x, int axis, int[] index, Tensor y) => execute(new IndexCommand(x, axis, index, y, add: false));

    public override void IndexAdd(Tensor x, int axis, int[] index, Tensor y) => execute(new IndexCommand(x, axis, index, y, add: true));

    public override void SoftmaxCrossEntropy(
        Tensor logits, Tensor labels, double smoothing, Tensor losses, Tensor? gradient, double scale) =>
        execute(new CrossEntropyCommand(logits, labels, smoothing, losses, gradient, scale));
}
