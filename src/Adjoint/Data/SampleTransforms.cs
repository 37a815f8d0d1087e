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
    // What lies over the image pixel by pixel, and is moved with it.
    private readonly string[] masks = [];
    private readonly Field? output;

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
        output = inputs with { Shape = shape, IsRagged = inputs.IsRagged && shape == inputs.Shape };
        if (inputs.Shape.Rank == 3 && transforms.Any(transform => transform is IGeometricTransform))
            masks = [.. dataset.Fields
                .Where(field => field.Name != Field.Inputs && field.Shape.Rank >= 2
                    && field.Shape.Sizes[^2..].SequenceEqual(inputs.Shape.Sizes[1..]))
                .Select(field => field.Name)];
        isInPlace = !inputs.IsRagged && masks.Length == 0 && transforms.All(transform => transform is InPlaceTransform);
    }

    /// <summary>The names of the transforms, in order.</summary>
    internal IEnumerable<string> Names => transforms.Select(transform => transform.GetType().Name);

    /// <summary>The fields of the samples as the transforms leave them.</summary>
    internal IReadOnlyList<Field> Fields => output is null
        ? dataset.Fields
        : [.. dataset.Fields.Select(one => one.Name == output.Name ? output : one)];

    /// <summary>Loads samples and applies the transforms to each.</summary>
    internal Batch Load(int[] indices, int epoch, Collate? collate)
    {
        if (collate is null && (transforms.Length == 0 || isInPlace))
        {
            var batch = dataset.Load(indices);
            if (transforms.Length > 0) ApplyInPlace(batch.Inputs, indices, epoch);
            return batch;
        }
        return Load(Array.ConvertAll(indices, dataset.Read), epoch, collate);
    }

    /// <summary>Applies the transforms to each of the samples, and makes a batch of them.</summary>
    internal Batch Load(Sample[] samples, int epoch, Collate? collate)
    {
        if (transforms.Length > 0)
            foreach (var sample in samples)
            {
                var shape = sample[Field.Inputs].Shape;
                sample[Field.Inputs] = Apply(sample[Field.Inputs], sample.Position, epoch);
                foreach (var mask in masks) sample[mask] = Move(sample[mask], shape, sample.Position, epoch);
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

    // As the image's pixels were moved, by the nearest ones.
    private Tensor Move(Tensor mask, Shape image, int index, int epoch) => mask.DType switch
    {
        DType.Int64 => Move(mask, image, index, epoch, outside: (long)Loss.IgnoredLabel),
        DType.Int32 => Move(mask, image, index, epoch, outside: Loss.IgnoredLabel),
        DType.UInt8 => Move<byte>(mask, image, index, epoch, outside: 0),
        DType.Bool => Move(mask, image, index, epoch, outside: false),
        DType.Float32 => Move(mask, image, index, epoch, outside: 0f),
        DType.Float64 => Move(mask, image, index, epoch, outside: 0.0),
        _ => throw new AdjointException(
            $"DataLoader: transforms move masks of int64, int32, uint8, bool, float32 or float64 with their image: "
            + $"found {mask.DType.Label()}"),
    };

    private Tensor Move<T>(Tensor mask, Shape image, int index, int epoch, T outside) where T : unmanaged
    {
        var (shape, values, layers) = (image, mask.ToArray<T>(), mask.Shape.Sizes[..^2].ToArray());
        for (var t = 0; t < transforms.Length; t++)
        {
            var (next, pixels) = (transforms[t].OutputShape(shape), shape[1] * shape[2]);
            if (transforms[t] is IGeometricTransform geometric)
            {
                var random = new SampleRandom(seed, epoch, index, t);
                var sources = new int[next[1] * next[2]];
                geometric.SourcePixels(shape, sources, ref random);
                var moved = new T[values.Length / Math.Max(1, pixels) * sources.Length];
                for (var i = 0; i < moved.Length; i++)
                    moved[i] = sources[i % sources.Length] is >= 0 and var source
                        ? values[i / sources.Length * pixels + source]
                        : outside;
                values = moved;
            }
            shape = next;
        }
        return Tensor.From(values, [.. layers, shape[1], shape[2]]);
    }
}
