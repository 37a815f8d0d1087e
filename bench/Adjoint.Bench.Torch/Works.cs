using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Adjoint.Bench;

/// <summary>The workloads.</summary>
internal static class Works
{
    internal static Action? Create(string name)
    {
        var shape = name.Split('-');
        if (shape is [var network, "infer", var batch]) return Infer(network, Number(batch));
        switch (shape[0])
        {
            case "matmul":
                {
                    var (m, k, n) = (Number(shape[1]), Number(shape[2]), Number(shape[3]));
                    var (a, b) = (randn(m, k), randn(k, n));
                    var c = empty(m, n);
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        c = Replace(c, a.mm(b));
                    };
                }
            case "mlp":
                {
                    var (model, forward) = Networks.Mlp();
                    var optimizer = optim.SGD(model.parameters(), 0.01);
                    var (x, y) = (rand(128, 784), randint(0, 10, 128));
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        optimizer.zero_grad();
                        nn.functional.cross_entropy(forward(x), y).backward();
                        optimizer.step();
                    };
                }
            case "epoch":
                {
                    var (model, forward) = Networks.Mlp();
                    var optimizer = optim.SGD(model.parameters(), 0.01);
                    var (x, y) = (rand(55_000, 784), randint(0, 10, 55_000));
                    return () =>
                    {
                        using var outer = NewDisposeScope();
                        var order = randperm(55_000);
                        for (var first = 0; first < 55_000; first += 128)
                        {
                            using var scope = NewDisposeScope();
                            var batch = order.slice(0, first, Math.Min(55_000, first + 128), 1);
                            optimizer.zero_grad();
                            var answers = forward(x.index_select(0, batch));
                            nn.functional.cross_entropy(answers, y.index_select(0, batch)).backward();
                            optimizer.step();
                        }
                    };
                }
            case "lenet":
                return Train(Number(shape[1]), Networks.LeNet());
            case "resnet20":
                return Train(Number(shape[1]), Networks.ResNet20());
            case "speednet":
                return Train(Number(shape[1]), Networks.SpeedNet());
            case "gpt":
                {
                    int[] sizes = [.. shape[1..].Select(text => Number(text.Split('+')[0]))];
                    var (context, rows, vocabulary) = (sizes[3], sizes[4], 256);
                    var (model, forward) = Networks.Gpt(sizes[0], sizes[1], sizes[2], context, vocabulary);
                    var optimizer = optim.AdamW(model.parameters(), 0.001);
                    var (x, y) = (randint(0, vocabulary, [rows, context]), randint(0, vocabulary, rows * context));
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        optimizer.zero_grad();
                        nn.functional.cross_entropy(forward(x).view(-1, vocabulary), y).backward();
                        optimizer.step();
                    };
                }
            case "normgelu":
                {
                    var (x, gradient, norm) = (Leaf(128, 64, 16, 16), randn(128, 64, 16, 16), nn.BatchNorm2d(64));
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        x.grad = null;
                        norm.zero_grad();
                        nn.functional.gelu(norm.forward(x)).backward([gradient]);
                    };
                }
            case "lstm" or "gru":
                {
                    var (samples, steps) = (Number(shape[1]), Number(shape[2]));
                    var (inputs, width) = (Number(shape[3]), Number(shape[4]));
                    var (x, gradient) = (Leaf(samples, steps, inputs), randn(samples, steps, width));
                    var lstm = nn.LSTM(inputs, width, batchFirst: true);
                    var gru = nn.GRU(inputs, width, batchFirst: true);
                    nn.Module layer = shape[0] == "lstm" ? lstm : gru;
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        x.grad = null;
                        layer.zero_grad();
                        var outputs = shape[0] == "lstm" ? lstm.forward(x).Item1 : gru.forward(x).Item1;
                        outputs.backward([gradient]);
                    };
                }
            case "layernorm":
                {
                    var (rows, columns) = (Number(shape[1]), Number(shape[2]));
                    var (x, gradient, norm) = (Leaf(rows, columns), randn(rows, columns), nn.LayerNorm(columns));
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        x.grad = null;
                        norm.zero_grad();
                        norm.forward(x).backward([gradient]);
                    };
                }
            case "bmm":
                {
                    var (count, size) = (Number(shape[1]), Number(shape[2]));
                    var (a, b) = (randn(count, size, size), randn(count, size, size));
                    var c = empty(count, size, size);
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        c = Replace(c, a.bmm(b));
                    };
                }
            case "conv":
                {
                    var (inputs, outputs, size) = (Number(shape[1]), Number(shape[2]), Number(shape[3]));
                    var (x, w) = (Leaf(64, inputs, size, size), Leaf(outputs, inputs, 3, 3));
                    var gradient = randn(64, outputs, size, size);
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        (x.grad, w.grad) = (null, null);
                        nn.functional.conv2d(x, w, padding: [1, 1]).backward([gradient]);
                    };
                }
            case "attention":
                {
                    long[] sizes = [.. shape[1..5].Select(text => (long)Number(text))];
                    var (q, k, v) = (Leaf(sizes), Leaf(sizes), Leaf(sizes));
                    var gradient = randn(sizes);
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        foreach (var leaf in (Tensor[])[q, k, v]) leaf.grad = null;
                        nn.functional.scaled_dot_product_attention(q, k, v, is_casual: shape.Length == 6)
                            .backward([gradient]);
                    };
                }
            case "chain":
                {
                    var (x, y, z) = (Leaf(1 << 20), Leaf(1 << 20), Leaf(1 << 20));
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        foreach (var leaf in (Tensor[])[x, y, z]) leaf.grad = null;
                        (x * y + z).sigmoid().sum().backward();
                    };
                }
            case "xent":
                {
                    var (x, y) = (Leaf(4096, 1000), randint(0, 1000, 4096));
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        x.grad = null;
                        nn.functional.cross_entropy(x, y).backward();
                    };
                }
            case "adam":
                {
                    var parameter = nn.Parameter(randn(2_500_000));
                    var gradient = randn(2_500_000);
                    var optimizer = optim.Adam([parameter], 0.001);
                    parameter.grad = gradient;
                    return () => optimizer.step();
                }
            case "small" when shape is [_, "forward"]:
                {
                    var x = randn(16);
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        using var mode = inference_mode();
                        var y = x;
                        for (var i = 0; i < 25; i++) y = (y * x).sin();
                        y.sum();
                    };
                }
            case "small":
                {
                    var x = Leaf(16);
                    return () =>
                    {
                        using var scope = NewDisposeScope();
                        x.grad = null;
                        var y = x;
                        for (var i = 0; i < 25; i++) y = (y * x).sin();
                        y.sum().backward();
                    };
                }
            case "generate":
                {
                    var model = new Gpt(16 + 256);
                    return () => model.Generate(16, 256, usesCache: shape[1] == "cached");
                }
            default:
                return null;
        }
    }

    private static Action? Infer(string network, int batch)
    {
        (nn.Module Parameters, Func<Tensor, Tensor> Forward)? created = network switch
        {
            "mlp" => Networks.Mlp(),
            "lenet" => Networks.LeNet(),
            "resnet20" => Networks.ResNet20(),
            _ => null,
        };
        if (created is not { } model) return null;
        model.Parameters.eval();
        var x = network == "mlp" ? randn(batch, 784) : randn(batch, 3, 32, 32);
        return () =>
        {
            using var scope = NewDisposeScope();
            using var mode = inference_mode();
            model.Forward(x);
        };
    }

    private static Action Train(int batch, (nn.Module Parameters, Func<Tensor, Tensor> Forward) model)
    {
        var learning = model.Parameters.parameters().Where(parameter => parameter.requires_grad);
        var optimizer = optim.SGD(learning, 0.001, momentum: 0.9);
        var (x, y) = (randn(batch, 3, 32, 32), randint(0, 10, batch));
        return () =>
        {
            using var scope = NewDisposeScope();
            optimizer.zero_grad();
            nn.functional.cross_entropy(model.Forward(x), y).backward();
            optimizer.step();
        };
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static Tensor Leaf(params long[] shape) => randn(shape, requires_grad: true);

    private static Tensor Replace(Tensor old, Tensor fresh)
    {
        old.Dispose();
        return fresh.MoveToOuterDisposeScope();
    }
}
