using Adjoint.Data;
using Adjoint.Generation;
using Adjoint.Nn;
using Adjoint.Optim;
using Adjoint.Training;

namespace Adjoint.Bench;

/// <summary>What ours does; the other sides have the same by the same name.</summary>
internal static class Workloads
{
    internal static readonly IReadOnlyList<Workload> All =
    [
        MatMul(1024, 1024, 1024),
        MatMul(784, 128, 3136),
        MatMul(128, 784, 3136),
        // 2·(forward + weight gradient) of both layers + data gradient of the second.
        new("mlp", 2, 2.0 * 128 * (2 * 784 * 3136 + 3 * 3136 * 10), 0, () => Mlp(captured: false)),
        new("mlp+captured", 2, 2.0 * 128 * (2 * 784 * 3136 + 3 * 3136 * 10), 0, () => Mlp(captured: true)),
        // One epoch of the course's MNIST network through loader and captured steps; the pixels are random.
        new("epoch", 2, 430 * 2.0 * 128 * (2 * 784 * 3136 + 3 * 3136 * 10), 0, Epoch),
        // Forward reads x, y, z and writes the output; backward reads the output and x, y and writes three gradients.
        new("chain", 2, 0, 4.0 * (1 << 20) * (4 + 3 + 3), () => Chain(captured: false)),
        new("chain+captured", 2, 0, 4.0 * (1 << 20) * (4 + 3 + 3), () => Chain(captured: true)),
        new("xent", 2, 0, 4.0 * 4096 * 1000 * 3, CrossEntropy),
        // Forward, weight and data gradient of each convolution but the first one's data gradient, and of the linear
        // layers.
        LeNet(4, 6), LeNet(50, 4), LeNet(128, 4),
        Convolution(64, 64, 16, 1.4), Convolution(256, 256, 8, 1.1), Convolution(24, 64, 31, 1.5),
        // He et al. 2015: 40.8 million multiplications an image; the same again for each gradient but the first
        // layer's data gradient.
        Network("resnet20", 128, 1.5, 2.0 * 128 * (3 * 40.8e6 - 0.44e6),
            random => new CifarResNet(20, generator: random)),
        // 118 million multiplications an image; the first layer learns only its bias.
        Network("speednet", 128, 1, 2.0 * 128 * (3 * 118.0e6 - 2 * 0.28e6), random => new SpeedNet(generator: random)),
        Recurrent("lstm", 1.5, 4, (inputs, width) => new Lstm(inputs, width, generator: new Generator(1))),
        Recurrent("gru", 1.5, 3, (inputs, width) => new Gru(inputs, width, generator: new Generator(1))),
        // Reads x and writes y; reads x and the gradient and writes dx.
        new("layernorm-4096-512", 2, 0, 4.0 * 4096 * 512 * 5, LayerNorm),
        // 64 products.
        new("bmm-64-64", 2, 2.0 * 64 * 64 * 64 * 64, 0, BatchedProduct),
        Gpt(layers: 4, width: 128, heads: 4, context: 128, batch: 16),
        // Statistics, normalized values and GELU, forward and backward, at the least: x twice, y; gradient and x
        // twice each, dx.
        new("normgelu", 1, 0, 4.0 * 128 * 64 * 256 * 9, NormGelu),
        Attention(16, 4, 256, 32, isCausal: false), Attention(16, 4, 256, 32, isCausal: true),
        // Reads parameter, gradient, both moments; writes parameter and moments.
        new("adam", 1, 0, 4.0 * 2_500_000 * 7, AdamStep),
        new("small", 10, 0, 0, () => Small(captured: false)),
        new("small+captured", 10, 0, 0, () => Small(captured: true)),
        new("small-forward", 10, 0, 0, SmallForward),
        // With the cache each of 256 tokens reads all weights; without it 144 tokens on average are multiplied by them.
        Generation("cached", true, 1.5), Generation("recomputed", false, 1.5),
        .. Inference.All,
    ];

    private static Workload MatMul(int m, int k, int n) => new($"matmul-{m}-{k}-{n}", 1.9, 2.0 * m * k * n, 0, () =>
    {
        var (a, b) = (Tensor.Randn([m, k], new Generator(1)), Tensor.Randn([k, n], new Generator(2)));
        return () =>
        {
            using var _ = new NoGrad();
            a.MatMul(b);
        };
    });

    // 256 tokens after 16, one at a time, of a GPT of four layers of width 128; drawn, not the most likely ones.
    private static Workload Generation(string name, bool usesCache, double goal)
    {
        const double weights = 4 * 12 * 128 * 128 + 256 * 128;
        var (flops, bytes) = usesCache ? (0.0, 4 * 256 * weights) : (2 * 256 * 144 * weights, 0.0);
        return new($"generate-{name}", goal, flops, bytes, () => Generate(usesCache));
    }

    private static Action Generate(bool usesCache)
    {
        var text = new ByteText();
        var model = new Gpt(new() { Vocabulary = text.Size, Context = 16 + 256 }, new Generator(1));
        var generator = new TextGenerator(model, text);
        GenerationOptions options = new() { MaxTokens = 256, UsesCache = usesCache };
        return () => _ = generator.GenerateTokens("sixteen letters.", options).Count();
    }

    private static Action Mlp(bool captured)
    {
        var model = new Mlp(784, [3136], 10, "sigmoid", new Generator(1));
        var optimizer = new Sgd(model.Parameters(), 0.01);
        var (x, y) = (Tensor.Rand([128, 784], new Generator(2)), Tensor.From(Enumerable.Range(0, 128).Select(i =>
            i % 10L).ToArray(), 128));
        var step = StepOf(model, optimizer);
        if (!captured) return () => step(x, y);
        var plan = CapturedFunction.Create(step);
        return () => plan.Run(x, y);
    }

    /// <summary>A training step of a classifier, whole.</summary>
    internal static Func<Tensor, Tensor, Tensor> StepOf(Layer model, Optimizer optimizer) => (x, y) =>
    {
        optimizer.ZeroGrad();
        var loss = Loss.CrossEntropy(model.Forward(x), y);
        loss.Backward();
        optimizer.Step();
        return loss;
    };

    private static Workload LeNet(int batch, double goal) =>
        Network("lenet", batch, goal,
            2.0 * batch * (2 * 75 * 6 * 784 + 3 * 150 * 16 * 100 + 3 * (400 * 120 + 120 * 84 + 84 * 10)),
            random => new LeNetCifar(10, random));

    private static Workload Network(
        string name, int batch, double goal, double flops, Func<Generator, Layer> create) => new(
        $"{name}-{batch}+captured", goal, flops, 0, () =>
    {
        var model = create(new Generator(1));
        var optimizer = new Sgd(model.Parameters(), 0.001, momentum: 0.9);
        var (x, y) = (Tensor.Randn([batch, 3, 32, 32], new Generator(2)), Tensor.From(Enumerable.Range(0,
            batch).Select(i => i % 10L).ToArray(), batch));
        var step = CapturedFunction.Create(StepOf(model, optimizer));
        return () => step.Run(x, y);
    });

    // Forward, and the gradients of input and weights: each as many multiplications.
    private static Workload Recurrent(string name, double goal, int gates, Func<int, int, Layer> create)
    {
        const int Batch = 32, Steps = 64, Inputs = 128, Width = 256;
        return new($"{name}-{Batch}-{Steps}-{Inputs}-{Width}", goal,
            3 * 2.0 * Batch * Steps * gates * Width * (Inputs + Width), 0, () =>
        {
            var x = Tensor.Randn([Batch, Steps, Inputs], new Generator(2)).RequireGrad();
            var gradient = Tensor.Randn([Batch, Steps, Width], new Generator(3));
            var layer = create(Inputs, Width);
            return () =>
            {
                x.ZeroGrad();
                foreach (var parameter in layer.Parameters()) parameter.ZeroGrad();
                layer.Forward(x).Backward(gradient);
            };
        });
    }

    // Multiplications of a token forward: 12·width² in each layer, half of 2·context·width in its causal attention,
    // vocabulary·width of the output; twice that backward.
    private static Workload Gpt(int layers, int width, int heads, int context, int batch)
    {
        const int Vocabulary = 256;
        var each = layers * (12.0 * width * width + (double)context * width) + Vocabulary * width;
        var name = $"gpt-{layers}-{width}-{heads}-{context}-{batch}+captured";
        return new(name, 1.5, 3 * 2 * each * batch * context, 0, () =>
        {
            var model = new Gpt(
                new() { Vocabulary = Vocabulary, Context = context, Width = width, Heads = heads, Layers = layers },
                new Generator(1));
            var (optimizer, task) = (new AdamW(model.Parameters(), 0.001), new NextTokenTask());
            var all = Enumerable.Range(0, batch * context).Select(i => (long)i * i % Vocabulary).ToArray();
            var (x, y) = (Tensor.From(all, batch, context), Tensor.From(all[1..].Append(0).ToArray(), batch, context));
            var step = CapturedFunction.Create((Tensor tokens, Tensor targets) =>
            {
                optimizer.ZeroGrad();
                var loss = task.Loss(model, new Batch([(Field.Inputs, tokens), (Field.Targets, targets)]));
                loss.Backward();
                optimizer.Step();
                return loss;
            });
            return () => step.Run(x, y);
        });
    }

    private static Action NormGelu()
    {
        var x = Tensor.Randn([128, 64, 16, 16], new Generator(1)).RequireGrad();
        var (gradient, norm) = (Tensor.Randn([128, 64, 16, 16], new Generator(2)), new BatchNorm(64));
        return () =>
        {
            x.ZeroGrad();
            foreach (var parameter in norm.Parameters()) parameter.ZeroGrad();
            norm.Forward(x).Gelu().Backward(gradient);
        };
    }

    private static Action LayerNorm()
    {
        var (x, gradient) = (Tensor.Randn([4096, 512], new Generator(1)).RequireGrad(),
            Tensor.Randn([4096, 512], new Generator(2)));
        var norm = new LayerNorm([512]);
        return () =>
        {
            x.ZeroGrad();
            foreach (var parameter in norm.Parameters()) parameter.ZeroGrad();
            norm.Forward(x).Backward(gradient);
        };
    }

    private static Action BatchedProduct()
    {
        var (a, b) = (Tensor.Randn([64, 64, 64], new Generator(1)), Tensor.Randn([64, 64, 64], new Generator(2)));
        return () =>
        {
            using var _ = new NoGrad();
            a.MatMul(b);
        };
    }

    private static Workload Convolution(int inputs, int outputs, int size, double goal) =>
        new($"conv-{inputs}-{outputs}-{size}", goal, 3 * 2.0 * 64 * inputs * 9 * outputs * size * size, 0, () =>
    {
        var x = Tensor.Randn([64, inputs, size, size], new Generator(1)).RequireGrad();
        var w = Tensor.Randn([outputs, inputs, 3, 3], new Generator(2)).RequireGrad();
        var gradient = Tensor.Randn([64, outputs, size, size], new Generator(3));
        return () =>
        {
            x.ZeroGrad();
            w.ZeroGrad();
            x.Conv2d(w, padding: 1).Backward(gradient);
        };
    });

    // Two products forward and five backward, of which one repeats a forward one; causal: half of them.
    private static Workload Attention(int batch, int heads, int length, int width, bool isCausal) => new(
        $"attention-{batch}-{heads}-{length}-{width}{(isCausal ? "-causal" : "")}", 1.5,
        2.0 * batch * heads * length * length * width * 7 * (isCausal ? 0.5 : 1), 0, () =>
    {
        Tensor Random(ulong seed) => Tensor.Randn([batch, heads, length, width], new Generator(seed));
        var (q, k, v) = (Random(1).RequireGrad(), Random(2).RequireGrad(), Random(3).RequireGrad());
        var (gradient, options) = (Random(4), new AttentionOptions { IsCausal = isCausal });
        return () =>
        {
            foreach (var leaf in (Tensor[])[q, k, v]) leaf.ZeroGrad();
            q.ScaledDotProductAttention(k, v, options).Backward(gradient);
        };
    });

    private static Action Epoch()
    {
        var (inputs, labels) = (Tensor.Rand([55_000 * 784], new Generator(2)).ToArray<float>(), Enumerable.Range(0,
            55_000).Select(i => (byte)(i % 10)).ToArray());
        var data = new TensorDataset("random", (int[])[784], inputs, labels, Mnist.Digits);
        var model = new Mlp(784, [3136], 10, "sigmoid", new Generator(1));
        var optimizer = new Sgd(model.Parameters(), 0.01);
        var loader = new DataLoader(data, 128, new() { Shuffle = true, Seed = 1 });
        var step = CapturedFunction.Create(StepOf(model, optimizer));
        return () =>
        {
            foreach (var (x, y) in loader) step.Run(x, y);
        };
    }

    private static Action Chain(bool captured)
    {
        var leaves = Enumerable.Range(1, 3).Select(seed => Tensor.Randn([1 << 20],
            new Generator((ulong)seed)).RequireGrad()).ToArray();
        Tensor Compute()
        {
            foreach (var leaf in leaves) leaf.ZeroGrad();
            var sum = (leaves[0] * leaves[1] + leaves[2]).Sigmoid().Sum();
            sum.Backward();
            return sum;
        }

        var plan = CapturedFunction.Create(Compute);
        return () => _ = captured ? plan.Run() : Compute();
    }

    private static Action CrossEntropy()
    {
        var (x, y) = (Tensor.Randn([4096, 1000], new Generator(1)).RequireGrad(), Tensor.From(Enumerable.Range(0,
            4096).Select(i => i % 1000L).ToArray(), 4096));
        return () =>
        {
            x.ZeroGrad();
            Loss.CrossEntropy(x, y).Backward();
        };
    }

    private static Action AdamStep()
    {
        var parameter = Tensor.Randn([2_500_000], new Generator(1)).RequireGrad();
        parameter.Grad = Tensor.Randn([2_500_000], new Generator(2));
        var optimizer = new Adam([parameter], 0.001);
        return optimizer.Step;
    }

    private static Action Small(bool captured)
    {
        var x = Tensor.Randn([16], new Generator(1)).RequireGrad();
        Tensor Compute()
        {
            x.ZeroGrad();
            var sum = FiftyOps(x);
            sum.Backward();
            return sum;
        }

        var plan = CapturedFunction.Create(Compute);
        return () => _ = captured ? plan.Run() : Compute();
    }

    private static Action SmallForward()
    {
        var x = Tensor.Randn([16], new Generator(1));
        return () =>
        {
            using var _ = new NoGrad();
            FiftyOps(x);
        };
    }

    private static Tensor FiftyOps(Tensor x)
    {
        var y = x;
        for (var i = 0; i < 25; i++) y = (y * x).Sin();
        return y.Sum();
    }
}
