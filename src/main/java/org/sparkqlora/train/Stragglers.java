package org.sparkqlora.train;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

    /** A worker without a shard for more steps is forgotten: in a long run executors come and go. */
    static final int ABSENCE = 4 * WINDOW;

    private final Map<String, Worker> workers = new LinkedHashMap<>();
    private long step;

    /** Takes a step in, and gives the workers that have become too slow; each is given once. */
    public List<Straggler> observe(List<ShardResult.Gradient> shards) {
        step++;
        Map<String, Share> shares = new LinkedHashMap<>();
        shards.forEach(shard -> shares.merge(shard.report().worker(), Share.of(shard), Share::plus));
        shares.forEach(
                (name, share) -> workers.computeIfAbsent(name, Worker::new).add(share.secondsPerToken(), step));
        workers.values().removeIf(worker -> step - worker.lastStep > ABSENCE);
        return slow(workers.values().stream().filter(Worker::isKnown).toList());
    }

    private List<Straggler> slow(List<Worker> known) {
        if (known.size() < 2) {
            return List.of();
        }

        double[] sorted = known.stream().mapToDouble(Worker::pace).sorted().toArray();
        List<Straggler> slow = new ArrayList<>();
        for (Worker worker : known) {
            double factor = worker.pace() / medianOfOthers(sorted, worker.pace());
            if (worker.lastStep == step && factor > SLOW && !worker.noticed) {
                worker.noticed = true;
                slow.add(new Straggler(worker.name, factor));
            }
        }

        return slow;
    }

    /** The lower of the middle two, so that of an even number of others the quicker half counts. */
    private static double medianOfOthers(double[] sorted, double own) {
        int middle = (sorted.length - 2) / 2;
        return own <= sorted[middle] ? sorted[middle + 1] : sorted[middle];
    }

    /** The latest paces of a worker, in seconds a token. */
    private static final class Worker {
        private final String name;
        private final double[] paces = new double[WINDOW];
        private int count;
        private long lastStep;
        private boolean noticed;

        private Worker(String name) {
            this.name = name;
        }

        private void add(double pace, long step) {
            paces[count % WINDOW] = pace;
            count++;
            lastStep = step;
        }

        private boolean isKnown() {
            return count >= WINDOW;
        }

        private double pace() {
            double[] sorted = paces.clone();
            Arrays.sort(sorted);
            return sorted[(WINDOW - 1) / 2];
        }
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
