using TorchSharp;
using static TorchSharp.torch;

namespace Adjoint.Bench;

/// <summary>The networks of the workloads: a module with all parameters, and how it is applied.</summary>
internal static class Networks
{
    internal static (nn.Module, Func<Tensor, Tensor>) Mlp()
    {
        var model = nn.Sequential(nn.Linear(784, 3136), nn.Sigmoid(), nn.Linear(3136, 10));
        return (model, model.forward);
    }

    internal static (nn.Module, Func<Tensor, Tensor>) LeNet()
    {
        var model = nn.Sequential(
            nn.Conv2d(3, 6, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10));
        return (model, model.forward);
    }

    // He et al. 2015, section 4.2, shortcuts of option A.
    internal static (nn.Module, Func<Tensor, Tensor>) ResNet20()
    {
        var all = new List<nn.Module<Tensor, Tensor>>();
        T Add<T>(T module) where T : nn.Module<Tensor, Tensor>
        {
            all.Add(module);
            return module;
        }

        var (first, firstNorm) = (Add(nn.Conv2d(3, 16, 3, padding: 1, bias: false)), Add(nn.BatchNorm2d(16)));
        var blocks = new List<Func<Tensor, Tensor>>();
        var inputs = 16;
        foreach (var outputs in (int[])[16, 32, 64])
            for (var block = 0; block < 3; block++)
            {
                var (stride, from, to) = (inputs == outputs ? 1 : 2, inputs, outputs);
                var a = Add(nn.Conv2d(from, to, 3, stride: stride, padding: 1, bias: false));
                var b = Add(nn.BatchNorm2d(to));
                var (c, d) = (Add(nn.Conv2d(to, to, 3, padding: 1, bias: false)), Add(nn.BatchNorm2d(to)));
                blocks.Add(x =>
                {
                    var (shortcut, more) = (x, (to - from) / 2);
                    if (stride > 1)
                    {
                        var narrowed = x.slice(2, 0, x.shape[2], 2).slice(3, 0, x.shape[3], 2);
                        shortcut = nn.functional.pad(narrowed, [0, 0, 0, 0, more, more]);
                    }
                    var inner = nn.functional.relu(b.forward(a.forward(x)));
                    return nn.functional.relu(d.forward(c.forward(inner)) + shortcut);
                });
                inputs = outputs;
            }
        var last = Add(nn.Linear(64, 10));
        return (nn.Sequential(all), x =>
        {
            x = nn.functional.relu(firstNorm.forward(first.forward(x)));
            foreach (var block in blocks) x = block(x);
            return last.forward(x.mean([2, 3]));
        }
        );
    }

    internal static (nn.Module, Func<Tensor, Tensor>) SpeedNet()
    {
        var whitening = nn.Conv2d(3, 24, 2);
        whitening.weight.requires_grad = false;
        var layers = new List<nn.Module<Tensor, Tensor>> { whitening, nn.GELU() };
        var inputs = 24;
        foreach (var outputs in (int[])[64, 256, 256])
        {
            layers.AddRange([
                nn.Conv2d(inputs, outputs, 3, padding: 1, bias: false), nn.MaxPool2d(2),
                nn.BatchNorm2d(outputs), nn.GELU(),
                nn.Conv2d(outputs, outputs, 3, padding: 1, bias: false), nn.BatchNorm2d(outputs), nn.GELU()]);
            inputs = outputs;
        }
        layers.AddRange([nn.MaxPool2d(3), nn.Flatten(), nn.Linear(256, 10, hasBias: false)]);
        var model = nn.Sequential(layers);
        return (model, x => model.forward(x) * (1.0 / 9));
    }

    // GPT-2's layers: pre-norm, causal, learned positions, output weights tied to those of the tokens.
    internal static (nn.Module, Func<Tensor, Tensor>) Gpt(int layers, int width, int heads, int context, int vocabulary)
    {
        var all = new List<nn.Module<Tensor, Tensor>>();
        T Add<T>(T module) where T : nn.Module<Tensor, Tensor>
        {
            all.Add(module);
            return module;
        }

        var (tokens, places) = (Add(nn.Embedding(vocabulary, width)), Add(nn.Embedding(context, width)));
        var blocks = new List<Func<Tensor, Tensor>>();
        for (var layer = 0; layer < layers; layer++)
        {
            var (first, second) = (Add(nn.LayerNorm(width)), Add(nn.LayerNorm(width)));
            var (project, output) = (Add(nn.Linear(width, 3 * width)), Add(nn.Linear(width, width)));
            var (widen, narrow) = (Add(nn.Linear(width, 4 * width)), Add(nn.Linear(4 * width, width)));
            blocks.Add(x =>
            {
                var (n, t) = (x.shape[0], x.shape[1]);
                var parts = project.forward(first.forward(x)).view(n, t, 3, heads, width / heads)
                    .permute(2, 0, 3, 1, 4);
                var seen = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2], is_casual: true);
                x = x + output.forward(seen.transpose(1, 2).reshape(n, t, width));
                return x + narrow.forward(nn.functional.gelu(widen.forward(second.forward(x))));
            });
        }
        var last = Add(nn.LayerNorm(width));
        foreach (var table in (Tensor[])[tokens.weight!, places.weight!]) nn.init.normal_(table, 0, 0.02);
        return (nn.Sequential(all), x =>
        {
            x = tokens.forward(x) + places.weight!.slice(0, 0, x.shape[1], 1);
            foreach (var block in blocks) x = block(x);
            return nn.functional.linear(last.forward(x), tokens.weight!);
        }
        );
    }
}
