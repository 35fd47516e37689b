export function BrandMark() {
  return (
    <svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="currentColor" />
      <path d="M8 24 24 8" stroke="var(--surface)" stroke-width="5" stroke-linecap="round" />
    </svg>
  );
}
