using System.Buffers;

namespace Adjoint.Data;

/// <summary>The transforms of a loader's samples, and how they are applied.</summary>
internal sealed class SampleTransforms
{
    private readonly Dataset dataset;
    private readonly Transform[] transforms;
    private readonly ulong seed;
    // All keep the shape, and all samples have the same: a batch is changed where it is.
    private readonly bool isInPlace;

    internal SampleTransforms(Dataset dataset, Transform[] transforms, ulong seed)
    {
        (this.dataset, this.transforms, this.seed) = (dataset, transforms, seed);
        if (transforms.Length == 0) return;
        var inputs = dataset.FieldOf(Field.Inputs);
        if (inputs.DType != DType.Float32)
            throw new AdjointException(
                $"DataLoader: transforms change float32 inputs: found {inputs.DType.Label()}; convert them with "
                + ".To(DType.Float32)");
        var shape = inputs.Shape;
        foreach (var transform in transforms) shape = transform.OutputShape(shape);
        isInPlace = !inputs.IsRagged && transforms.All(transform => transform is InPlaceTransform);
    }

    /// <summary>Loads samples and applies the transforms to each.</summary>
    internal Batch Load(int[] indices, int epoch, Collate? collate)
    {
        if (collate is null && (transforms.Length == 0 || isInPlace))
        {
            var batch = dataset.Load(indices);
            if (transforms.Length > 0) ApplyInPlace(batch.Inputs, indices, epoch);
            return batch;
        }
        var samples = new Sample[indices.Length];
        for (var i = 0; i < samples.Length; i++)
        {
            samples[i] = dataset.Read(indices[i]);
            if (transforms.Length > 0) samples[i][Field.Inputs] = Apply(samples[i][Field.Inputs], indices[i], epoch);
        }
        return (collate ?? Collate.Stack).Apply(samples);
    }

    private void ApplyInPlace(Tensor inputs, int[] indices, int epoch)
    {
        var values = inputs.Data<float>();
        var shape = dataset.SampleShape;
        for (var t = 0; t < transforms.Length; t++)
            for (var i = 0; i < indices.Length; i++)
            {
                var random = new SampleRandom(seed, epoch, indices[i], t);
                ((InPlaceTransform)transforms[t]).Apply(
                    values.Slice(i * shape.Elements, shape.Elements), shape, ref random);
            }
        GC.KeepAlive(inputs);
    }

    // From one buffer to the next.
    private Tensor Apply(Tensor sample, int index, int epoch)
    {
        var shape = sample.Shape;
        var from = ArrayPool<float>.Shared.Rent(Math.Max(1, shape.Elements));
        sample.CopyTo(from.AsSpan(0, shape.Elements));
        for (var t = 0; t < transforms.Length; t++)
        {
            var random = new SampleRandom(seed, epoch, index, t);
            var next = transforms[t].OutputShape(shape);
            var to = ArrayPool<float>.Shared.Rent(Math.Max(1, next.Elements));
            transforms[t].Apply(from.AsSpan(0, shape.Elements), shape, to.AsSpan(0, next.Elements), ref random);
            ArrayPool<float>.Shared.Return(from);
            (from, shape) = (to, next);
        }
        var result = Tensor.Empty(shape, DType.Float32, Device.Cpu);
        from.AsSpan(0, shape.Elements).CopyTo(result.Data<float>());
        ArrayPool<float>.Shared.Return(from);
        return result;
    }
}
