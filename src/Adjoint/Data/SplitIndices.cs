using System.Globalization;

namespace Adjoint.Data;

/// <summary>
/// Which samples go into which part, by position: for data whose parts must be known before they are encoded, since
/// statistics and vocabularies come from the training part alone. <see cref="Dataset.Split(double, double,
/// SplitOptions?)"/> does the same with data sets. In each part the positions ascend.
/// </summary>
/// <param name="Train">The samples to learn from.</param>
/// <param name="Validation">The samples to choose settings by.</param>
/// <param name="Test">The samples for the final measure; empty where none were asked for.</param>
public sealed record SplitIndices(
    IReadOnlyList<int> Train, IReadOnlyList<int> Validation, IReadOnlyList<int> Test)
{
    // Apart from the streams that order the epochs.
    private const ulong Stream = 0x53706C6974;

    /// <summary>Splits at random.</summary>
    /// <param name="count">The number of samples.</param>
    /// <param name="validation">The number of validation samples, 1 or more.</param>
    /// <param name="test">The number of test samples, 0 or more.</param>
    /// <param name="seed">The seed; equal seeds give equal parts.</param>
    /// <returns>The positions of each part.</returns>
    /// <exception cref="AdjointException">A part would be empty.</exception>
    public static SplitIndices Random(int count, int validation, int test = 0, ulong seed = 0)
    {
        Require(count, validation, test);
        var order = new Generator(seed, Stream).Permutation(count);
        var part = new int[count];
        for (var i = 0; i < validation + test; i++) part[order[i]] = i < validation ? 1 : 2;
        return Of(part);
    }

    /// <summary>
    /// Splits at random so that every class has its share of each part, as nearly as whole samples allow (largest
    /// remainders), and at least one training sample.
    /// </summary>
    /// <typeparam name="T">The type of a class: a label, a text.</typeparam>
    /// <param name="classes">The class of each sample.</param>
    /// <param name="validation">The number of validation samples, 1 or more.</param>
    /// <param name="test">The number of test samples, 0 or more.</param>
    /// <param name="seed">The seed; equal seeds give equal parts.</param>
    /// <returns>The positions of each part.</returns>
    /// <exception cref="AdjointException">A part would be empty, or a class has one sample alone.</exception>
    public static SplitIndices Stratified<T>(IReadOnlyList<T> classes, int validation, int test = 0, ulong seed = 0)
        where T : notnull
    {
        Require(classes.Count, validation, test);
        var order = new Generator(seed, Stream).Permutation(classes.Count);
        var strata = Strata(classes, order);
        foreach (var (name, members) in strata)
            if (members.Count < 2)
                throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                    $"Split: every class needs 2 samples or more, to be in two parts: found one alone of class {name} "
                    + $"(sample {members[0]}); leave it out, join it with another class, or do not stratify"));
        var part = new int[classes.Count];
        int[] left = [.. strata.Select(stratum => stratum.Members.Count)];
        foreach (var (number, size) in ((int, int)[])[(1, validation), (2, test)])
        {
            var shares = Shares(left, size);
            for (var i = 0; i < strata.Count; i++)
            {
                foreach (var sample in strata[i].Members.Skip(strata[i].Members.Count - left[i]).Take(shares[i]))
                    part[sample] = number;
                left[i] -= shares[i];
            }
        }
        return Of(part);
    }

    /// <summary>
    /// Splits samples of several labels each at random so that every label has its share of each part, nearly
    /// (iterative stratification: Sechidis, Tsoumakas and Vlahavas 2011): the rarest label's samples first, each to the
    /// part that lacks most of that label.
    /// </summary>
    /// <param name="labels">The labels of each sample, as numbers from 0 on; a sample may have none.</param>
    /// <param name="validation">The number of validation samples, 1 or more.</param>
    /// <param name="test">The number of test samples, 0 or more.</param>
    /// <param name="seed">The seed; equal seeds give equal parts.</param>
    /// <returns>The positions of each part.</returns>
    /// <exception cref="AdjointException">A part would be empty, or a label is negative.</exception>
    public static SplitIndices StratifiedByLabels(
        IReadOnlyList<IReadOnlyList<int>> labels, int validation, int test = 0, ulong seed = 0)
    {
        var count = labels.Count;
        Require(count, validation, test);
        var order = new Generator(seed, Stream).Permutation(count);
        var most = labels.SelectMany(one => one).DefaultIfEmpty(-1).Max();
        if (labels.SelectMany(one => one).Any(label => label < 0))
            throw new AdjointException("Split: labels are numbers from 0 on: found a negative one");
        var samplesOf = Enumerable.Range(0, most + 1).Select(_ => new List<int>()).ToArray();
        foreach (var sample in order)
            foreach (var label in labels[sample].Distinct()) samplesOf[label].Add(sample);
        double[] room = [count - validation - test, validation, test];
        // What each part still lacks of each label.
        var lacks = Array.ConvertAll(samplesOf, samples =>
            Array.ConvertAll(room, size => samples.Count * size / Math.Max(1, count)));
        var part = new int[count];
        Array.Fill(part, -1);
        while (true)
        {
            var rarest = Enumerable.Range(0, most + 1)
                .Select(label => (Label: label, Left: samplesOf[label].Count(sample => part[sample] < 0)))
                .Where(one => one.Left > 0).OrderBy(one => one.Left).Select(one => one.Label).FirstOrDefault(-1);
            if (rarest < 0) break;
            foreach (var sample in samplesOf[rarest])
                if (part[sample] < 0) Place(sample, lacks[rarest]);
        }
        foreach (var sample in order)
            if (part[sample] < 0) Place(sample, room);
        return Of(part);

        void Place(int sample, double[] wanting)
        {
            // Where there is room, the most wanting; of those that want alike, the emptiest.
            var best = Enumerable.Range(0, 3).Where(i => room[i] > 0).OrderByDescending(i => wanting[i])
                .ThenByDescending(i => room[i]).First();
            part[sample] = best;
            room[best]--;
            foreach (var label in labels[sample].Distinct()) lacks[label][best]--;
        }
    }

    /// <summary>
    /// Splits groups at random, such as the photographs of one person: all samples of a group are in one part. The
    /// parts have about the numbers of samples that were asked for.
    /// </summary>
    /// <typeparam name="T">The type of a group: a number, a text.</typeparam>
    /// <param name="groups">The group of each sample.</param>
    /// <param name="validation">The number of validation samples, 1 or more.</param>
    /// <param name="test">The number of test samples, 0 or more.</param>
    /// <param name="seed">The seed; equal seeds give equal parts.</param>
    /// <returns>The positions of each part.</returns>
    /// <exception cref="AdjointException">There are fewer groups than parts, or a part would be empty.</exception>
    public static SplitIndices ByGroup<T>(IReadOnlyList<T> groups, int validation, int test = 0, ulong seed = 0)
        where T : notnull
    {
        Require(groups.Count, validation, test);
        var parts = test > 0 ? 3 : 2;
        var all = Strata(groups, [.. Enumerable.Range(0, groups.Count)]);
        if (all.Count < parts)
            throw new AdjointException(
                $"Split: {parts} parts need as many groups: found {all.Count} among {groups.Count} samples; use a "
                + "finer group, or split without");
        var part = new int[groups.Count];
        int[] size = [0, validation, test], filled = new int[3], count = new int[3];
        var place = new int[all.Count];
        foreach (var i in new Generator(seed, Stream).Permutation(all.Count))
        {
            // The first part that it brings nearer to its size; else the training part.
            var own = all[i].Members.Count;
            var to = Enumerable.Range(1, 2).FirstOrDefault(p => 2 * (size[p] - filled[p]) > own);
            Move(i, to, 1);
        }
        for (var p = parts - 1; p >= 0; p--)
            if (count[p] == 0)
            {
                var smallest = Enumerable.Range(0, place.Length).Where(i => count[place[i]] > 1)
                    .MinBy(i => all[i].Members.Count);
                Move(smallest, place[smallest], -1);
                Move(smallest, p, 1);
            }
        for (var i = 0; i < place.Length; i++)
            foreach (var sample in all[i].Members) part[sample] = place[i];
        return Of(part);

        void Move(int group, int to, int sign)
        {
            place[group] = to;
            filled[to] += sign * all[group].Members.Count;
            count[to] += sign;
        }
    }

    /// <summary>
    /// Splits by time: the earliest samples are for training, the latest for the test, or for validation where no test
    /// is asked for. Samples of the same time stay in their order.
    /// </summary>
    /// <param name="times">The time of each sample, in any unit.</param>
    /// <param name="validation">The number of validation samples, 1 or more.</param>
    /// <param name="test">The number of test samples, 0 or more.</param>
    /// <returns>The positions of each part.</returns>
    /// <exception cref="AdjointException">A part would be empty, or a time is NaN.</exception>
    public static SplitIndices ByTime(IReadOnlyList<double> times, int validation, int test = 0)
    {
        Require(times.Count, validation, test);
        for (var i = 0; i < times.Count; i++)
            if (double.IsNaN(times[i]))
                throw new AdjointException(
                    $"Split: every sample needs a time: found NaN for sample {i}; leave such samples out");
        // The latest first, as with the other splits the samples that are drawn first leave the training part.
        int[] order = [.. Enumerable.Range(0, times.Count).OrderByDescending(i => times[i]).ThenByDescending(i => i)];
        var part = new int[times.Count];
        for (var i = 0; i < test + validation; i++) part[order[i]] = i < test ? 2 : 1;
        return Of(part);
    }

    /// <summary>
    /// The quantile of each number among all, as a class for <see cref="Stratified"/>: class 0 has the smallest.
    /// </summary>
    /// <param name="values">A number of each sample.</param>
    /// <param name="bins">The number of classes, 1 or more.</param>
    /// <returns>The class of each sample, 0 to <paramref name="bins"/> − 1.</returns>
    /// <exception cref="AdjointException">A number is NaN, or there is no class.</exception>
    public static int[] Quantiles(IReadOnlyList<double> values, int bins = 10)
    {
        if (bins < 1) throw new AdjointException($"Split: the number of quantiles must be positive: found {bins}");
        for (var i = 0; i < values.Count; i++)
            if (double.IsNaN(values[i]))
                throw new AdjointException(
                    $"Split: NaN is in no quantile: found it for sample {i}; leave such samples out");
        // Of few samples no class may have one alone.
        bins = Math.Max(1, Math.Min(bins, values.Count / 2));
        var result = new int[values.Count];
        var rank = 0;
        foreach (var i in Enumerable.Range(0, values.Count).OrderBy(i => values[i]))
            result[i] = (int)((long)rank++ * bins / values.Count);
        return result;
    }

    /// <summary>The number of samples that a fraction is, rounded.</summary>
    /// <param name="count">The number of all samples.</param>
    /// <param name="fraction">The fraction, from 0 to less than 1.</param>
    /// <param name="part">What the fraction is for, for messages: <c>validation</c>.</param>
    /// <returns>The number of samples: 0 where the fraction is 0.</returns>
    /// <exception cref="AdjointException">The fraction is out of range, or too small to be one sample.</exception>
    public static int CountOf(int count, double fraction, string part)
    {
        if (!(fraction is >= 0 and < 1))
            throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                $"Split: the fraction of {part} must be from 0 to less than 1: found {fraction}; give whole numbers to "
                + $"ask for so many samples"));
        var result = (int)Math.Round(count * fraction, MidpointRounding.AwayFromZero);
        return fraction == 0 || result > 0
            ? result
            : throw new AdjointException(string.Create(CultureInfo.InvariantCulture,
                $"Split: {fraction} of {count} samples for {part} is not one; use a larger fraction or more samples"));
    }

    private static void Require(int count, int validation, int test)
    {
        if (validation < 1 || test < 0)
            throw new AdjointException(
                $"Split: validation needs 1 sample or more, and the test 0 or more: found {validation} and {test}");
        if ((long)validation + test >= count)
            throw new AdjointException(
                $"Split: nothing would be left for training: found {count} samples, {validation} for validation and "
                + $"{test} for the test; ask for fewer");
    }

    // Classes in the order of their first samples in the data, and the members of each in a random order.
    private static List<(T Class, List<int> Members)> Strata<T>(IReadOnlyList<T> classes, int[] order) where T : notnull
    {
        var (all, at) = (new List<(T, List<int> Members)>(), new Dictionary<T, int>());
        foreach (var one in classes)
            if (at.TryAdd(one, all.Count)) all.Add((one, []));
        foreach (var sample in order) all[at[classes[sample]]].Members.Add(sample);
        return all;
    }

    // How many of each class: proportional, by largest remainders, and never the last one of a class.
    private static int[] Shares(int[] left, int size)
    {
        var total = left.Sum(count => (long)count);
        int[] shares = [.. left.Select(count => Math.Min(count - 1, (int)((long)count * size / total)))];
        for (var missing = size - shares.Sum(); missing > 0; missing--)
        {
            var next = Enumerable.Range(0, left.Length).Where(i => shares[i] < left[i] - 1)
                .OrderByDescending(i => (double)left[i] * size / total - shares[i]).FirstOrDefault(-1);
            if (next < 0)
                throw new AdjointException(
                    $"Split: each of the {left.Length} classes keeps a training sample, so {size} samples cannot leave "
                    + $"{total}; ask for fewer, or do not stratify");
            shares[next]++;
        }
        return shares;
    }

    private static SplitIndices Of(int[] part)
    {
        int[] Part(int number) => [.. Enumerable.Range(0, part.Length).Where(sample => part[sample] == number)];
        return new(Part(0), Part(1), Part(2));
    }
}
