namespace Adjoint.Tests.Capture;

/// <summary>Writes in place are part of a captured step, or taken back.</summary>
public class CapturedWriteTests
{
    private static readonly Tensor None = Tensor.Zeros(1);
    private static readonly Tensor Ones = Tensor.Ones(64, 64);

    [Fact]
    public void Writes_in_place_are_part_of_a_captured_step()
    {
        // Of a tensor from outside, of a part of it, of one that is made inside, and of one's own transpose.
        double[] Run(bool captured)
        {
            var w = Tensor.Randn([64, 64], new Generator(1)).RequireGrad();
            var (whole, part) = (Tensor.Zeros(64, 64), Tensor.Zeros(64, 64));
            Tensor Loss(Tensor x, Tensor y)
            {
                whole.CopyFrom((x * w).Detach());
                part.Slice(1, 3, 20).Fill(0.5);
                part.Slice(0, 7, 9).CopyFrom(whole.Slice(0, 1, 9).Detach());
                part.CopyFrom(part.Transpose());
                var made = Tensor.Ones(64, 64);
                made.Slice(0, 5, 6).CopyFrom((x + 1).Slice(0, 0, 6));
                return (w * whole + w * part * made).Sum();
            }

            var step = CapturedStep.Create(Loss, [w]);
            var found = new List<double>();
            for (var call = 0; call < 6; call++)
            {
                var x = Tensor.Randn([64, 64], new Generator(2, (ulong)call));
                var (version, ofPart) = (whole.Version, part.Version);
                if (captured) found.Add(step.Run(x, None).Item());
                else
                {
                    w.ZeroGrad();
                    var loss = Loss(x, None);
                    loss.Backward();
                    found.Add(loss.Item());
                }
                Assert.True(whole.Version != version && part.Version != ofPart);
                foreach (var tensor in (Tensor[])[w.Grad!, whole, part])
                    found.AddRange(tensor.ToArray<float>().Select(value => (double)value));
                FreeMemory.Overwrite();
            }
            Assert.Equal(captured, step.IsCaptured);
            return [.. found];
        }

        Assert.Equal(Run(captured: false), Run(captured: true));
    }

    [Fact]
    public void A_refused_step_takes_back_what_it_wrote_in_place()
    {
        var w = Tensor.Ones(64, 64).RequireGrad();
        var count = Tensor.Zeros(3, 5);
        var step = CapturedStep.Create(
            (x, _) =>
            {
                count.Slice(1, 1, 1).CopyFrom(count.Slice(1, 1, 1).Detach() + 1);
                return (x * w).Sum() is var loss && loss.Item() > 0 ? loss : -loss;
            },
            [w], fallBackToEager: true);
        for (var call = 1; call < 5; call++)
        {
            step.Run(Ones, None);
            Assert.Equal([0, call, 0, 0, 0], count.ToArray<float>()[..5]);
        }
        Assert.NotNull(step.Refusal);
    }

    [Theory, InlineData(1, true), InlineData(3, true), InlineData(1, false), InlineData(3, false)]
    public void An_input_that_the_step_writes_in_place_is_refused_or_runs_eagerly(int from, bool isX)
    {
        var w = Leaf(1);
        (CapturedStep Step, Tensor Buffer) Make(bool fallBackToEager)
        {
            var buffer = Tensor.Ones(64, 64);
            return (CapturedStep.Create(
                (x, y) =>
                {
                    buffer.CopyFrom(buffer * 0.5);
                    return (x * y * w).Sum();
                },
                [w], fallBackToEager), buffer);
        }

        var ((strict, ofStrict), (lenient, ofLenient)) = (Make(false), Make(true));
        Tensor Run(CapturedStep step, Tensor input) => isX ? step.Run(input, Ones) : step.Run(Ones, input);
        var expected = 1.0f;
        for (var call = 0; call < 6; call++)
        {
            expected /= 2;
            var isOwn = call >= from;
            Run(lenient, isOwn ? ofLenient.Reshape(4096).Reshape(64, 64) : Ones);
            Assert.All(w.Grad!.ToArray<float>(), value => Assert.Equal(isOwn ? expected : 1, value));
            Assert.Equal(expected, ofLenient.ItemAt(0, 0));
            if (!isOwn)
            {
                Run(strict, Ones);
                continue;
            }
            var before = ofStrict.ToArray<float>();
            var message = Assert.Throws<CaptureException>(() => Run(strict, ofStrict)).Message;
            Assert.Contains(".Clone() of it", message, StringComparison.Ordinal);
            Assert.Equal(before, ofStrict.ToArray<float>());
        }
    }

    private static Tensor Leaf(ulong seed) => Tensor.Randn([64, 64], new Generator(seed)).RequireGrad();
}
