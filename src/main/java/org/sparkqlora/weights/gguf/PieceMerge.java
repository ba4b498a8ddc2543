package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Two pieces that are joined to a third.
 *
 * @param score of the piece that they make: the higher, the earlier they are joined
 */
record PieceMerge(String left, String right, double score) {
    /** Higher scores first; of the ways to one piece, that with the longest left part first. */
    private static final Comparator<PieceMerge> ORDER = Comparator.comparingDouble(PieceMerge::score)
            .thenComparingInt(
                    merge -> merge.left().codePointCount(0, merge.left().length()))
            .thenComparingInt(
                    merge -> merge.right().codePointCount(0, merge.right().length()))
            .reversed();

    /**
     * The merges that a list of pieces stands for: every way to make one of two others, in order of priority
     * ({@code generate_merges} of transformers).
     *
     * @param scores of each piece, by id
     */
    static List<PieceMerge> of(List<String> pieces, double[] scores) {
        Map<String, Integer> ids = new HashMap<>();
        for (int id = 0; id < pieces.size(); id++) {
            ids.put(pieces.get(id), id);
        }

        List<PieceMerge> merges = new ArrayList<>();
        for (int id = 0; id < pieces.size(); id++) {
            merges.addAll(waysTo(pieces.get(id), scores[id], ids));
        }

        merges.sort(ORDER);
        return merges;
    }

    /** The merges that a file lists in order of priority, two pieces with a blank between. */
    static List<PieceMerge> listed(GgufMetadata metadata, String key) {
        List<PieceMerge> merges = new ArrayList<>();
        for (String merge : metadata.texts(key)) {
            int blank = merge.indexOf(' ', 1);
            if (blank < 0) {
                throw metadata.wrong(key, "two pieces with a blank between");
            }

            merges.add(new PieceMerge(merge.substring(0, blank), merge.substring(blank + 1), -merges.size()));
        }

        return merges;
    }

    private static List<PieceMerge> waysTo(String piece, double score, Map<String, Integer> ids) {
        List<PieceMerge> ways = new ArrayList<>();
        for (int cut = 1; cut < piece.length(); cut++) {
            String left = piece.substring(0, cut);
            String right = piece.substring(cut);
            if (ids.containsKey(left) && ids.containsKey(right)) {
                ways.add(new PieceMerge(left, right, score));
            }
        }

        return ways;
    }
}
