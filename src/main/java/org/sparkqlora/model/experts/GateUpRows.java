package org.sparkqlora.model.experts;

import org.bytedeco.pytorch.Tensor;
import org.sparkqlora.weights.family.ExpertModules;

/** The order of rows in matrices of gate and up as they are stored, (2 width, columns). Passes have all rows of gate before those of up. */
public enum GateUpRows {
    GATE_FIRST,
    ALTERNATING;

    public static GateUpRows of(ExpertModules modules) {
        return modules.alternates() ? ALTERNATING : GATE_FIRST;
    }

    /** Stored rows as passes have them. */
    public Tensor apart(Tensor stored) {
        return switch (this) {
            case GATE_FIRST -> stored;
            case ALTERNATING -> swapped(stored, stored.size(0) / 2, 2);
        };
    }

    /** Rows of a pass as they are stored. */
    public Tensor together(Tensor rows) {
        return switch (this) {
            case GATE_FIRST -> rows;
            case ALTERNATING -> swapped(rows, 2, rows.size(0) / 2);
        };
    }

    private static Tensor swapped(Tensor rows, long outer, long inner) {
        return rows.reshape(outer, inner, rows.size(1)).transpose(0, 1).reshape(rows.size(0), rows.size(1));
    }
}
