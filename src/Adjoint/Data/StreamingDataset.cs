namespace Adjoint.Data;

/// <summary>
/// Samples that can be read in order alone: lines of a file, messages of a queue, what a simulation gives. A pass takes
/// a fixed number of them, so that schedules and progress know its length: what a longer stream has beyond that is not
/// read, and one that ends sooner begins again. A run that is resumed skips what it has seen. Use it with a
/// <see cref="DataLoader"/>; there are no positions, so it cannot be split or sampled.
/// </summary>
public sealed class StreamingDataset : Dataset
{
    private readonly Func<int, IEnumerable<Sample>> stream;
    private readonly int shuffleBuffer;
    private IReadOnlyList<Field>? fields;

    /// <summary>Creates a data set of a stream.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="count">The number of samples in a pass, 0 or more.</param>
    /// <param name="stream">
    /// Opens the stream for the pass of the given number, from 0. For the same number it must give the same samples in
    /// the same order, so that runs can be repeated and resumed. It is read on background threads, one at a time.
    /// </param>
    /// <exception cref="AdjointException">The number of samples is negative.</exception>
    public StreamingDataset(string name, int count, Func<int, IEnumerable<Sample>> stream) : base(name)
    {
        if (count < 0)
            throw new AdjointException($"Dataset {name}: the number of samples must not be negative: found {count}");
        (Count, this.stream) = (count, stream);
    }

    /// <summary>Creates a data set of a stream that waits for its samples.</summary>
    /// <param name="name">The name, for messages and reports.</param>
    /// <param name="count">The number of samples in a pass, 0 or more.</param>
    /// <param name="stream">
    /// Opens the stream for the pass of the given number, from 0. For the same number it must give the same samples in
    /// the same order, so that runs can be repeated and resumed. It is read on background threads, one at a time.
    /// </param>
    /// <exception cref="AdjointException">The number of samples is negative.</exception>
    public StreamingDataset(string name, int count, Func<int, IAsyncEnumerable<Sample>> stream)
        : this(name, count, epoch => stream(epoch).ToBlockingEnumerable()) { }

    /// <summary>The number of samples in a pass.</summary>
    public override int Count { get; }

    /// <summary>
    /// How many samples to hold, of which the next is drawn at random: the more, the better they are mixed; 0, the
    /// default, leaves their order.
    /// </summary>
    /// <exception cref="AdjointException">The value is negative.</exception>
    public int ShuffleBuffer
    {
        get => shuffleBuffer;
        init => shuffleBuffer = value >= 0
            ? value
            : throw new AdjointException($"Dataset {Name}: ShuffleBuffer must not be negative: found {value}");
    }

    /// <summary>The seed of the draws from <see cref="ShuffleBuffer"/>; 0 by default.</summary>
    public ulong Seed { get; init; }

    /// <summary>
    /// Names, shapes and element types of the samples: by default those of the first one of pass 0, which is read for
    /// that.
    /// </summary>
    /// <exception cref="AdjointException">There is no sample to ask.</exception>
    public override IReadOnlyList<Field> Fields => fields ??= FirstFields();

    /// <summary>Not to be had: a stream has no positions.</summary>
    /// <param name="index">The position, whatever it is.</param>
    /// <returns>Nothing, since it always throws.</returns>
    /// <exception cref="AdjointException">Always.</exception>
    public override Sample this[int index] => throw new AdjointException(
        $"Dataset {Name}: a stream has no positions, so sample {index} cannot be asked for; read it with a DataLoader "
        + "that neither shuffles nor samples (ShuffleBuffer mixes it), or keep the samples in a TensorDataset");

    /// <inheritdoc/>
    public override Dataset Map(Func<Sample, Sample> map) =>
        new StreamingDataset(Name, Count, epoch => stream(epoch).Select(map))
        {
            ShuffleBuffer = ShuffleBuffer,
            Seed = Seed,
            ClassNames = ClassNames,
        };

    /// <summary>The samples of a pass, each with its number.</summary>
    /// <param name="epoch">The number of the pass.</param>
    /// <param name="first">The first sample that is wanted; those before it are read and left out.</param>
    internal IEnumerable<Sample> Pass(int epoch, int first)
    {
        var number = 0;
        foreach (var sample in Shuffle(Repeat(epoch), epoch))
        {
            sample.Position = number++;
            if (sample.Position >= first) yield return sample;
        }
    }

    private IReadOnlyList<Field> FirstFields()
    {
        foreach (var sample in Repeat(0))
            return [.. sample.Select(entry => new Field(entry.Name, entry.Value.Shape, entry.Value.DType))];
        throw new AdjointException($"Dataset {Name}: no samples, so their fields are not known");
    }

    private IEnumerable<Sample> Repeat(int epoch)
    {
        for (var number = 0; number < Count;)
        {
            using var samples = stream(epoch).GetEnumerator();
            var begin = number;
            while (number < Count && Next(samples, number))
            {
                yield return samples.Current
                    ?? throw new AdjointException($"Dataset {Name}: sample {number} is null; leave it out");
                number++;
            }
            if (number == begin)
                throw new AdjointException(
                    $"Dataset {Name}: the stream of pass {epoch} gave no sample, and {Count} are a pass; give one or "
                    + "more");
        }
    }

    private bool Next(IEnumerator<Sample> samples, int number)
    {
        try
        {
            return samples.MoveNext();
        }
        catch (Exception error) when (Mark(error))
        {
            throw;
        }

        bool Mark(Exception error)
        {
            if (!error.Data.Contains(DataLoader.SampleKey)) error.Data[DataLoader.SampleKey] = $"{Name}[{number}]";
            return false;
        }
    }

    private IEnumerable<Sample> Shuffle(IEnumerable<Sample> samples, int epoch)
    {
        var random = new SampleRandom(Seed, epoch, 0, SampleRandom.OfStreams);
        var held = new List<Sample>();
        foreach (var sample in samples)
        {
            if (held.Count < ShuffleBuffer)
            {
                held.Add(sample);
                continue;
            }
            if (held.Count == 0)
            {
                yield return sample;
                continue;
            }
            var at = random.Next(held.Count);
            yield return held[at];
            held[at] = sample;
        }
        while (held.Count > 0)
        {
            var at = random.Next(held.Count);
            yield return held[at];
            held[at] = held[^1];
            held.RemoveAt(held.Count - 1);
        }
    }
}
