using Adjoint.Kernels;

namespace Adjoint;

internal sealed class Conv2dCommand(ConvShape shape, Tensor x, Tensor w, Tensor? bias, Tensor y) : Command("Conv2d", [x, w, bias, y])
{
    internal override double Flops => 2.0 * At(3).Length * (shape.Channels / shape.Groups) * shape.KernelHeight * shape.KernelWidth;

    internal override void Run(Backend backend) => backend.Conv2d(shape, At(0), At(1), Operands[2], At(3));
}

internal sealed class Conv2dDataGradientCommand(ConvShape shape, Tensor g, Tensor w, Tensor dx) : Command("Conv2dDataGradient", [g, w, dx])
{
    internal override double Flops => 2.0 * At(0).Length * (shape.Channels / shape.Groups) * shape.KernelHeight * shape.KernelWidth;

    internal override void Run(Backend backend) => backend.Conv2dDataGradient(shape, At(0), At(1), At(2));
}

internal sealed class Conv2dWeightGradientCommand(ConvShape shape, Tensor x, Tensor g, Tensor dw) : Command("Conv2dWeightGradient", [x, g, dw])
{
    internal override double Flops => 2.0 * At(1).Length * (shape.Channels / shape.Groups) * shape.KernelHeight * shape.KernelWidth;

    internal override void Run(Backend backend) => backend.Conv2dWeightGradient(shape, At(0), At(1), At(2));
}

internal sealed class MaxPool2dCommand(PoolShape windows, Tensor x, Tensor y, Tensor index) : Command("MaxPool2d", [x, y, index], outputs: 2)
{
    internal override void Run(Backend backend) => backend.MaxPool2d(windows, At(0), At(1), At(2));
}

internal sealed class MaxPool2dGradientCommand(PoolShape windows, Tensor g, Tensor index, Tensor dx) : Command("MaxPool2dGradient", [g, index, dx])
{
    internal override void Run(Backend backend) => backend.MaxPool2dGradient(windows, At(0), At(1), At(2));
}

internal sealed class BatchNormCommand(Tensor x, Tensor gamma, Tensor beta, double epsilon, Tensor mean, Tensor variance, Tensor inverseDeviation, Tensor y)
    : Command("BatchNorm", [x, gamma, beta, mean, variance, inverseDeviation, y], outputs: 4)
{
    internal override void Run(Backend backend) => backend.BatchNorm(At(0), At(1), At(2), epsilon, At(3), At(4), At(5), At(6));
}

internal sealed class BatchNormGradientCommand(Tensor x, Tensor g, Tensor mean, Tensor inverseDeviation, Tensor gamma, Tensor dx, Tensor dgamma, Tensor dbeta)
    : Command("BatchNormGradient", [x, g, mean, inverseDeviation, gamma, dx, dgamma, dbeta], outputs: 3)
{
    internal override void Run(Backend backend) => backend.BatchNormGradient(At(0), At(1), At(2), At(3), At(4), At(5), At(6), At(7));
}

internal sealed class IndexCommand(Tensor x, int axis, int[] index, Tensor y, bool add) : Command(add ? "IndexAdd" : "IndexSelect", [x, y])
{
    internal override void Run(Backend backend)
    {
        if (add) backend.IndexAdd(At(0), axis, index, At(1));
        else backend.IndexSelect(At(0), axis, index, At(1));
    }
}
