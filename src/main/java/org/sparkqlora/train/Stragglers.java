package org.sparkqlora.train;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;
import org.sparkqlora.train.metrics.Straggler;

/**
 * Notices workers that compute slowly: a step lasts as long as its slowest shard, so that one of them holds all others up.
 * Paces are medians over some steps, which forgives a first step that warms up and a pause now and then.
 */
final class Stragglers {
    /** Steps of a worker that its pace is taken over. */
    static final int WINDOW = 8;

    /** A worker that takes this many times as long for a token as the others do. */
    static final double SLOW = 1.5;

    private final Map<String, Deque<Double>> secondsPerToken = new LinkedHashMap<>();
    private final Set<String> noticed = new HashSet<>();

    /** Takes a step in, and gives the workers that have become too slow; each is given once. */
    public List<Straggler> observe(List<ShardResult.Gradient> shards) {
        Map<String, Share> shares = new LinkedHashMap<>();
        shards.forEach(shard -> shares.merge(shard.report().worker(), Share.of(shard), Share::plus));
        shares.forEach((worker, share) -> remember(worker, share.secondsPerToken()));
        List<Straggler> slow = new ArrayList<>();
        for (String worker : shares.keySet()) {
            factor(worker).stream()
                    .filter(factor -> factor > SLOW && noticed.add(worker))
                    .forEach(factor -> slow.add(new Straggler(worker, factor)));
        }

        return slow;
    }

    private void remember(String worker, double pace) {
        Deque<Double> paces = secondsPerToken.computeIfAbsent(worker, any -> new ArrayDeque<>());
        paces.addLast(pace);
        if (paces.size() > WINDOW) {
            paces.removeFirst();
        }
    }

    /** The ratio of a worker's time to that of the others; empty before enough steps of two workers were seen. */
    private OptionalDouble factor(String worker) {
        double[] others = secondsPerToken.entrySet().stream()
                .filter(entry ->
                        !entry.getKey().equals(worker) && entry.getValue().size() == WINDOW)
                .mapToDouble(entry -> median(entry.getValue()))
                .toArray();
        Deque<Double> own = secondsPerToken.getOrDefault(worker, new ArrayDeque<>());
        return own.size() < WINDOW || others.length == 0
                ? OptionalDouble.empty()
                : OptionalDouble.of(median(own) / median(others));
    }

    private static double median(Deque<Double> values) {
        return median(values.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** The lower of the middle two, so that of an even number of others the quicker half counts. */
    private static double median(double[] values) {
        Arrays.sort(values);
        return values[(values.length - 1) / 2];
    }

    /** The work of a worker in one step. */
    private record Share(double seconds, long tokens) {
        private static Share of(ShardResult.Gradient shard) {
            return new Share(shard.report().seconds().computing(), shard.tokens());
        }

        private Share plus(Share other) {
            return new Share(seconds + other.seconds, tokens + other.tokens);
        }

        private double secondsPerToken() {
            return seconds / Math.max(1, tokens);
        }
    }
}
