package org.sparkqlora.spark.exchange;

import java.io.Serializable;
import java.util.Comparator;

/**
 * A slice of a shard's gradient. Sorted, all shards of a slice come together, in shard order.
 *
 * @param slice its number in the layout
 * @param shard whose it is
 */
public record SliceKey(int slice, int shard) implements Comparable<SliceKey>, Serializable {
    private static final Comparator<SliceKey> ORDER =
            Comparator.comparingInt(SliceKey::slice).thenComparingInt(SliceKey::shard);

    @Override
    public int compareTo(SliceKey other) {
        return ORDER.compare(this, other);
    }
}
