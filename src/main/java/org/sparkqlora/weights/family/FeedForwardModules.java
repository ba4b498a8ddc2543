package org.sparkqlora.weights.family;

import java.util.List;

/** The linear modules of a feed-forward part. */
public enum FeedForwardModules {
    SEPARATE(Projection.GATE, Projection.UP, Projection.DOWN),
    /** Gate and up are one module. */
    FUSED(Projection.FUSED_GATE, Projection.DOWN),
    /** The same under the names that Granite gives to what all experts share. */
    SHARED(Projection.SHARED_GATE, Projection.SHARED_DOWN);

    private final List<Projection> projections;

    FeedForwardModules(Projection... projections) {
        this.projections = List.of(projections);
    }

    /** The last of them brings the width of the residual stream back. */
    public List<Projection> projections() {
        return projections;
    }

    /** The module behind the gate. */
    public Projection down() {
        return projections.get(projections.size() - 1);
    }

    /** Those in front of it, of one and the same input. */
    public List<Projection> gateUp() {
        return projections.subList(0, projections.size() - 1);
    }
}
