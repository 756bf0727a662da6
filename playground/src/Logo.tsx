/** Two rings that share a part: one person, known to two systems. */
export function Logo() {
  return (
    <span className="tandem-logo">
      <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
        <g fill="none" strokeWidth="4.5">
          <circle cx="12" cy="16" r="8.5" className="tandem-logo-doppler" />
          <circle cx="20" cy="16" r="8.5" className="tandem-logo-highlevel" />
        </g>
      </svg>
      Tandem
    </span>
  );
}
