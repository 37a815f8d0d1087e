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

    public override void Scatter(Tensor x, Tensor y) => execute(new ScatterCommand(x, y));

    public override void MatMul<TLane>(Tensor a, Tensor b, Tensor? bias, TLane activation, Tensor c) => execute(new MatMulCommand<TLane>(a, b, bias, activation, c));

    public override void Softmax(Tensor x, Tensor y) => execute(new SoftmaxCommand(x, y, logarithm: false));

    public override void LogSoftmax(Tensor x, Tensor y) => execute(new SoftmaxCommand(x, y, logarithm: true));

    public override void SoftmaxCrossEntropy(Tensor logits, Tensor labels, double smoothing, Tensor losses, Tensor logSumExp, Tensor? gradient, double scale) =>
        execute(new CrossEntropyCommand(logits, labels, smoothing, losses, logSumExp, gradient, scale));

    public override void SoftmaxCrossEntropyGradient(Tensor logits, Tensor labels, double smoothing, Tensor logSumExp, double scale, Tensor gradient) =>
        execute(new CrossEntropyGradientCommand(logits, labels, smoothing, logSumExp, scale, gradient));
}
