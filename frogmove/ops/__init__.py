"""Operations on a deployed route."""
